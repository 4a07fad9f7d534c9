# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where ggml puts the results of a graph, and so how large each buffer is: memory is used again as soon as nobody needs it.

Source: ggml/src/ggml-alloc.c (ggml_dyn_tallocr_*, ggml_gallocr_alloc_graph_impl).
"""

from __future__ import annotations

from .ggml import IN_PLACE

ALIGNMENT_OF_DEVICE = 128
ALIGNMENT_OF_HOST = 32
ENDLESS = 1 << 62


class Pool:
    """One buffer: free stretches by address, the last one endless; C(size_bytes) is as far as it was ever used."""

    def __init__(self, alignment):
        self._alignment = alignment
        self._offsets = [0]
        self._sizes = [ENDLESS]
        self.size_bytes = 0

    def take(self, size):
        """The offset of the smallest free stretch that holds C(size); the endless one only if there is no other."""
        size += -size % self._alignment
        offsets, sizes = self._offsets, self._sizes
        best, best_size = -1, ENDLESS
        for index, free in enumerate(sizes):
            if size <= free <= best_size:
                best, best_size = index, free
        offset = offsets[best]
        end = offset + size
        if sizes[best] == size:
            del sizes[best], offsets[best]
        else:
            sizes[best] -= size
            offsets[best] = end
        if end > self.size_bytes:
            self.size_bytes = end
        return offset

    def give_back(self, offset, size):
        """Join a stretch to the first free one that it touches, in this order: stretches of no length may lie inside others."""
        size += -size % self._alignment
        offsets, sizes = self._offsets, self._sizes
        end = offset + size
        for index, start in enumerate(offsets):
            if start + sizes[index] == offset:
                sizes[index] += size
                self._join(index)
                return
            if start == end:
                offsets[index] = offset
                sizes[index] += size
                if index:
                    self._join(index - 1)
                return
        index = 0
        while index < len(offsets) and offsets[index] < offset:
            index += 1
        offsets.insert(index, offset)
        sizes.insert(index, size)

    def _join(self, index):
        """Join a free stretch and the next, if they touch."""
        if index + 1 < len(self._offsets) and self._offsets[index] + self._sizes[index] == self._offsets[index + 1]:
            self._sizes[index] += self._sizes[index + 1]
            del self._sizes[index + 1], self._offsets[index + 1]


def buffer_sizes(schedule, new_pools):
    """Bytes of the buffer of each device and, last, of the host, for a Schedule. C(new_pools): an empty Pool for each of them."""
    pools = list(new_pools)
    for leaf in schedule.leafs:
        if leaf.home is None:
            _allocate(leaf, leaf.backend, pools)
    for node in schedule.nodes:
        if node.root is not None and node.op != "none":
            node.root.views += 1
        if node.given and not node.alive:
            _allocate(node, node.backend, pools)
        for source in node.sources:
            source.children += 1
            if source.given and not source.alive:
                _allocate(source, node.backend, pools)
    for node in schedule.nodes:
        for source in node.sources:
            if not source.alive and source.root is None and source.home is None:
                _allocate(source, node.backend, pools)
        if node.root is None and not node.alive:
            _allocate(node, node.backend, pools)
        for source in node.sources:
            source.children -= 1
            if source.children or source.views:
                continue
            root = source.root
            if root is not None:
                root.views -= 1
                if root.views or root.children:
                    continue
                source = root
            if source.alive and not source.output:
                source.alive = False
                source.pool.give_back(source.offset, source.held_bytes)
    return [pool.size_bytes for pool in pools]


def _allocate(tensor, backend, pools):
    """A place for C(tensor): that of a source which nobody needs any more and which is just as large, or a free one."""
    if tensor.alive:
        return
    tensor.alive = True
    if tensor.op in IN_PLACE:
        for source in tensor.sources:
            if source.alive and source.children == 1 and not source.views and not source.output and _same_layout(source, tensor):
                source.alive = False
                tensor.pool, tensor.offset, tensor.held_bytes = source.pool, source.offset, source.held_bytes
                return
    # the last pool is the host's
    tensor.held_bytes = tensor.size_bytes + (tensor.scratch_bytes if backend < len(pools) - 1 else 0)
    tensor.pool = pools[backend]
    tensor.offset = tensor.pool.take(tensor.held_bytes)


def _same_layout(a, b):
    return a.shape == b.shape and a.type == b.type and a.packed
