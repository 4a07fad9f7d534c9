# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moves forward through the bytes of a header.

Only the bytes around the position are held, so a header of any size costs a few MiB of memory,
and what is stepped over is never read from the disk or the network.

A source has C(label) (for messages), C(size) and C(read_at(offset, length)).
"""

from __future__ import annotations

import struct

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.units import size_text

# A read fits most headers without a vocabulary; within a vocabulary it is as large as the rest of it seems to be.
FIRST_READ_BYTES = 256 * 1024
_LARGEST_READ_BYTES = 4 * 1024 * 1024

# The largest header seen has 16 MiB, nearly all of it vocabulary.
MAX_HEADER_BYTES = 256 * 1024 * 1024

_U64 = struct.Struct("<Q")


class Cursor:
    def __init__(self, source):
        self.source = source
        self.reading = "the start of the file"  # what is being read, for messages
        self._data = b""
        self._start = 0  # offset of the first byte of _data in the file
        self._index = 0  # of the next byte in _data; may lie behind its end after a skip

    @property
    def offset(self):
        return self._start + self._index

    def unpack(self, layout):
        """The values of a struct.Struct."""
        self._need(layout.size)
        values = layout.unpack_from(self._data, self._index)
        self._index += layout.size
        return values

    def take(self, length):
        self._need(length)
        taken = self._data[self._index : self._index + length]
        self._index += length
        return taken

    def peek(self, length):
        """Up to C(length) bytes without moving; fewer at the end of the file."""
        length = min(length, self.source.size - self.offset)
        self._need(length)
        return self._data[self._index : self._index + length]

    def skip(self, length):
        self._check_end(self.offset + length)
        self._index += length

    def skip_strings(self, count):
        """Steps over C(count) strings, each led by its length: the hot loop of a vocabulary."""
        self._check_end(self.offset + 8 * count)
        length_at = _U64.unpack_from
        start, total = self.offset, count
        while count:
            # those to come are about as long as those before
            ahead = (self.offset - start) * count // (total - count) if count < total else 8 * count
            self._need(8, ahead)
            data, index, done = self._data, self._index, 0
            try:
                for done in range(count):  # noqa: B007 - used where the loop is left
                    index += 8 + length_at(data, index)[0]
                done = count
            except (struct.error, OverflowError):  # the next length lies behind the end of data
                pass
            self._index = index
            count -= done
        self._check_end(self.offset)

    def _need(self, length, ahead=0):
        """Have C(length) bytes; C(ahead): how many will be needed soon."""
        if self._index + length > len(self._data):
            self._fetch(length, ahead)

    def _fetch(self, length, ahead):
        offset = self.offset
        self._check_end(offset + length)
        kept = self._data[self._index :]
        window = min(max(FIRST_READ_BYTES, ahead), _LARGEST_READ_BYTES)
        wanted = min(max(window, length - len(kept)), self.source.size - offset - len(kept))
        got = self.source.read_at(offset + len(kept), wanted)
        self._data, self._start, self._index = kept + got, offset, 0
        if len(self._data) < length:
            raise InfraError("the file became shorter while it was read", where=self.source.label, fix="Try again once it is complete.")

    def _check_end(self, end):
        if end > self.source.size:
            raise InfraError(
                f"the file ends within its GGUF header (in {self.reading}), or the header is damaged",
                where=self.source.label,
                got=size_text(self.source.size),
                expected=f"at least {size_text(end)}",
                fix="Download the file again.",
            )
        if end > MAX_HEADER_BYTES:
            raise InfraError(
                f"the GGUF header is too large (in {self.reading})",
                where=self.source.label,
                got=f"at least {size_text(end)}",
                expected=f"at most {size_text(MAX_HEADER_BYTES)}",
                fix="The file is damaged or not a model; download it again.",
            )
