# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Questions to the memory rules during one plan, each asked once."""

from __future__ import annotations

from dataclasses import replace

from .._memory.devices import HOST
from .._memory.graph.limit import TooManyTensors, may_be_reached
from .._memory.layout import layout
from .._memory.memory import allocate
from .._memory.settings import pad
from .._memory.weights import held_by_block

BATCH = 2048
"""llama-server's logical batch unless told otherwise (common/common.h: n_batch)."""


class Probe:
    """The memory rules, asked about one model on one node's devices."""

    def __init__(self, model, devices, batch_size=BATCH):
        self._model = model
        self._devices = devices
        self._batch_size = batch_size
        self._known = {}
        self._compute = {}

    def ask(self, settings):
        """The Allocation with these Settings."""
        if settings not in self._known:
            found = self._known[settings] = allocate(self._model, settings, self._devices)
            self._compute[self._likeness(settings)] = tuple(buffers.compute_bytes for buffers in (*found.devices, found.host))
        return self._known[settings]

    def runs(self, settings):
        """Whether llama.cpp has room for a graph with these Settings, which hardly depends on where the blocks are."""
        held = held_by_block(self._model, settings, self._devices, layout(self._model, settings, self._devices))
        if not may_be_reached(self._model, held):
            return True
        try:
            self.ask(settings)
        except TooManyTensors:
            return False
        return True

    def about(self, settings):
        """The same with the compute buffers of the last like it, if there was one: they hardly depend on which blocks leave tensors in RAM."""
        if settings in self._known or self._likeness(settings) not in self._compute:
            return self.ask(settings)
        return allocate(self._model, settings, self._devices, self._compute[self._likeness(settings)])

    def with_settings(self, allocation, **changes):
        """What an allocation would be with some of its settings changed and every layer and tensor where it is; C(changes): fields of Settings."""
        return self.ask(replace(allocation.settings, **changes))

    def with_context(self, allocation, ctx_size):
        settings = allocation.settings
        n_ctx_seq = pad(pad(ctx_size) // settings.n_stream)
        n_batch = min(ctx_size, self._batch_size)
        return self.ask(replace(settings, n_ctx=n_ctx_seq * settings.n_stream, n_ctx_seq=n_ctx_seq, n_batch=n_batch, n_ubatch=min(settings.n_ubatch, n_batch)))

    def _likeness(self, settings):
        """What compute buffers depend on most: settings other than those that place tensors, the GPUs in use, and of the blocks there
        the largest tensors in RAM, for which there must be room on a GPU. The last block, often with few tokens, counts by itself.
        """
        where = layout(self._model, settings, self._devices)
        held = held_by_block(self._model, settings, self._devices, where)
        staged = {max(held[block].staged, default=0) for block in range(self._model.n_layer) if where.blocks[block] != HOST}
        overridden = bool(settings.override_tensor or settings.cpu_moe or settings.n_cpu_moe)
        elsewhere = replace(settings, tensor_split=None, n_cpu_moe=0, cpu_moe=False, override_tensor=())
        return elsewhere, overridden, frozenset((*where.blocks, where.output)), frozenset(staged), held[self._model.n_layer - 1].staged
