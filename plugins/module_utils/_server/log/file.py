# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The log of the current start in a file. Private: not an interface for other collections."""

from __future__ import annotations

import os
import re

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import MOST_BYTES, Text

MOST_SEARCHED = 64 * MOST_BYTES
_LONGEST_MARKER = 4096

# The supervisor of the embedded target, or the server's own first words; before those it tells only of its backends.
_START = re.compile(rb"supervisor: started process \d+|srv +\w+: initializing \.\.\.")
_EARLIER = re.compile(rb"load_backend:|ggml_|warning: |  Device \d|register_backend")
_MOST_EARLIER = 16 * 1024


def read(path):
    """The Text of the last start in C(path)."""
    source = f"file {path}"
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            if not stream.seekable() or not os.path.isfile(path):
                return Text(source, problem="it is no file")
            start = _start(stream, size)
            if start is None:
                return _continued(source, f"{path}.1", _part(stream, max(0, size - MOST_BYTES), size), size <= MOST_BYTES)
            first = _part(stream, start, min(size, start + MOST_BYTES))
            last = _part(stream, max(start + len(first), size - MOST_BYTES), size)
            return Text(source, first, last, whole=start + len(first) + len(last) >= size)
    except OSError as error:
        return Text(source, problem=f"it can't be read: {error.strerror or error}")


def _continued(source, older, last, is_all):
    """The Text of a start whose beginning is in the C(older) file, as logs are rotated; without one the file counts as one start."""
    try:
        with open(older, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            start = _start(stream, size)
            if start is not None:
                first = _part(stream, start, min(size, start + MOST_BYTES))
                return Text(f"{source} and {older}", first, last, whole=is_all and start + len(first) == size)
    except OSError:
        pass
    return Text(source, last, whole=True) if is_all else Text(source, last=last, whole=False)


def _part(stream, begin, end):
    stream.seek(begin)
    return stream.read(max(0, end - begin))


def _start(stream, size):
    """Where the last start begins, None where there is no mark of one."""
    end = size
    lowest = max(0, size - MOST_SEARCHED)
    while end > lowest:
        begin = max(lowest, end - MOST_BYTES)
        # A little more than the block, so that a mark across its end is seen.
        block = _part(stream, begin, min(size, end + _LONGEST_MARKER))
        found = list(_START.finditer(block))
        if found:
            return _with_earlier(stream, begin + found[-1].start())
        end = begin
    return None


def _with_earlier(stream, start):
    """The beginning of the line of the mark, or of the lines about backends before it."""
    begin = max(0, start - _MOST_EARLIER)
    before = _part(stream, begin, start)
    line = before.rfind(b"\n") + 1
    while line > 0:
        previous = before.rfind(b"\n", 0, line - 1) + 1
        if not _EARLIER.search(before[previous:line]):
            break
        line = previous
    return begin + line
