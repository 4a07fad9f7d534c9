# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A buffer for results of a backend that hands out no more than so much at once: ggml cuts it in chunks, and no result lies in two of them.

So it gets larger than one without a limit as soon as it is larger than a chunk. Source: ggml/src/ggml-alloc.c (ggml_dyn_tallocr_alloc, _new_chunk).
"""

from __future__ import annotations

from .allocator import ENDLESS, Pool

MOST_CHUNKS = 16
"""GGML_VBUFFER_MAX_CHUNKS; the last one is endless."""


class ChunkedPool:
    """As Pool, with addresses C((chunk, offset))."""

    def __init__(self, alignment, chunk_bytes):
        self._alignment = alignment
        self._chunk_bytes = chunk_bytes
        self._chunks = []

    @property
    def size_bytes(self):
        return sum(chunk.size_bytes for chunk in self._chunks)

    def take(self, size):
        size += -size % self._alignment
        number, stretch = self._inner(size) or self._last(size) or self._new(size)
        return number, self._chunks[number].take_at(stretch, size)

    def give_back(self, address, size):
        number, offset = address
        self._chunks[number].give_back(offset, size)

    def _inner(self, size):
        """The smallest stretch that is not the last of its chunk, of the last chunk that has one; None for none."""
        for number in range(len(self._chunks) - 1, -1, -1):
            stretch = self._chunks[number].smallest_inner(size)
            if stretch is not None:
                return number, stretch
        return None

    def _last(self, size):
        """The last stretch of the chunk that has to grow least for it, or that has least to spare; None for none."""
        best, best_spare = None, -ENDLESS
        for number, chunk in enumerate(self._chunks):
            spare = chunk.spare_at_the_end(size)
            if spare is not None and ((best_spare < 0 and spare > best_spare) or 0 <= spare < best_spare):
                best, best_spare = (number, -1), spare
        return best

    def _new(self, size):
        last = len(self._chunks) == MOST_CHUNKS - 1
        self._chunks.append(Chunk(self._alignment, ENDLESS if last else max(size, self._chunk_bytes)))
        return len(self._chunks) - 1, 0


class Chunk(Pool):
    """One buffer of a size that is fixed."""

    def __init__(self, alignment, size):
        super().__init__(alignment)
        self._sizes = [size]

    def smallest_inner(self, size):
        """The number of the smallest free stretch that holds C(size), the last one left aside; the later of two alike."""
        fitting = [(self._sizes[index], -index) for index in range(len(self._sizes) - 1) if self._sizes[index] >= size]
        return -min(fitting)[1] if fitting else None

    def spare_at_the_end(self, size):
        """What is used already and would stay free behind C(size) in the last stretch; None where it does not fit."""
        if not self._sizes or self._sizes[-1] < size:
            return None
        return self.size_bytes - self._offsets[-1] - size

    def take_at(self, stretch, size):
        offset = self._offsets[stretch]
        self._sizes[stretch] -= size
        self._offsets[stretch] += size
        if not self._sizes[stretch]:
            del self._sizes[stretch], self._offsets[stretch]
        self.size_bytes = max(self.size_bytes, offset + size)
        return offset
