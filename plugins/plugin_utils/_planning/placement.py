# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes to which GPU, for a given context.

All layers if they fit. Else, of a model with experts, all layers but the experts of as few blocks as possible, and of the
last of those blocks as few tensors as possible: a token uses few experts, and the rest of a block is small and busy. Else
as many whole layers as fit. A layer is a block or the output;
llama.cpp takes layers from the end, the output first (_memory/layout.py), and leaves out experts from the first block on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import combinations

from .._memory.memory import Allocation, allocate
from .._memory.settings import resolve
from .._memory.weights import EXPERTS


@dataclass(frozen=True)
class Placement:
    """C(gpu_layers) layers on the GPUs, C(layers_per_gpu) on each, without the experts of the first C(n_cpu_moe) blocks
    other than the tensors that C(override_tensor) puts back. C(allocation) follows from them.
    """

    gpu_layers: int
    layers_per_gpu: tuple[int, ...]
    n_cpu_moe: int
    override_tensor: tuple[str, ...]
    allocation: Allocation


class Placer:
    """Places one model on one node's devices under a budget. Keeps no state between calls of place()."""

    def __init__(self, model, devices, budget, fixed):
        self._model = model
        self._devices = devices
        self._budget = budget
        self._fixed = dict(fixed)
        self.n_layers = model.n_layer_all + 1
        self._has_experts = any(EXPERTS.search(group.name) for group in model.tensors)

    def place(self, ctx_size, gpu_layers=None):
        """(Placement, within budget) with C(gpu_layers) layers on the GPUs, or with as many as fit.

        Where nothing fits the Placement is the one that comes nearest, for the report of what is missing.
        """
        if not self._devices:
            return self._split(ctx_size, 0)
        if gpu_layers is not None:
            return self._split(ctx_size, self.n_layers if gpu_layers == "all" else min(gpu_layers, self.n_layers))
        whole, fits = self._split(ctx_size, self.n_layers)
        if fits:
            return whole, True
        if self._has_experts:
            without_experts, fits = self._fewest_experts_on_host(ctx_size)
            if fits:
                return without_experts, True
        return self._most_layers(ctx_size)

    def _fewest_experts_on_host(self, ctx_size):
        """All layers on the GPUs, and the experts of as few blocks as possible in RAM."""
        best, best_fits = self._split(ctx_size, self.n_layers, self.n_layers - 1)
        low, high = 1, self.n_layers - 2
        while best_fits and low <= high:
            middle = (low + high) // 2
            placement, fits = self._split(ctx_size, self.n_layers, middle)
            if fits:
                best, high = placement, middle - 1
            else:
                low = middle + 1
        return (self._with_single_tensors(ctx_size, best) if best_fits else best), best_fits

    def _with_single_tensors(self, ctx_size, placement):
        """C(placement) with the most bytes of experts of the last block in RAM back on the block's GPU."""
        block = placement.n_cpu_moe - 1
        if block >= len(placement.allocation.layout.blocks):
            return placement
        device = self._devices[placement.allocation.layout.blocks[block]].name
        for tensors in _selections(self._experts_of(block)):
            names = "|".join(re.escape(name) for name in tensors)
            override = (f"blk\\.{block}\\.({names})={device}",)
            allocation = self._allocate(ctx_size, placement.gpu_layers, placement.n_cpu_moe, placement.layers_per_gpu, override)
            if self._budget.holds(allocation):
                return replace(placement, override_tensor=override, allocation=allocation)
        return placement

    def _experts_of(self, block):
        """{name without block: bytes} of the expert tensors of C(block)."""
        return {
            group.name.removeprefix("blk.*.").removesuffix(".weight"): group.size_bytes
            for group in self._model.tensors
            if group.blocks is not None and block in group.blocks and EXPERTS.search(group.name) and group.name.endswith(".weight")
        }

    def _most_layers(self, ctx_size):
        """The largest number of layers that fits; more layers never need less of a GPU."""
        best, best_fits = self._split(ctx_size, 0)
        low, high = 1, self.n_layers - 1
        while low <= high:
            middle = (low + high) // 2
            placement, fits = self._split(ctx_size, middle)
            if fits:
                best, best_fits, low = placement, True, middle + 1
            elif self._only_ram_is_short(placement):
                low = middle + 1
            else:
                high = middle - 1
        return best, best_fits

    def _only_ram_is_short(self, placement):
        return all(shortfall.where == "RAM" for shortfall in self._budget.shortfalls(placement.allocation))

    def _split(self, ctx_size, gpu_layers, n_cpu_moe=0):
        """The layers shared out over the GPUs: by free memory, then one by one from the fullest to the emptiest."""
        counts = self._by_free_memory(gpu_layers)
        allocation = self._allocate(ctx_size, gpu_layers, n_cpu_moe, counts)
        for _attempt in range(gpu_layers):
            if self._budget.holds(allocation) or len(counts) < 2:
                break
            moved = self._move_one(counts, allocation)
            if moved is None:
                break
            counts, allocation = moved, self._allocate(ctx_size, gpu_layers, n_cpu_moe, moved)
        return Placement(gpu_layers, counts, n_cpu_moe, (), allocation), self._budget.holds(allocation)

    def _by_free_memory(self, gpu_layers):
        total = sum(self._budget.device_bytes)
        if not self._devices or total == 0:
            return (gpu_layers,) + (0,) * (len(self._devices) - 1) if self._devices else ()
        counts, given, seen = [], 0, 0
        for limit in self._budget.device_bytes:
            seen += limit
            upto = round(gpu_layers * seen / total)
            counts.append(upto - given)
            given = upto
        return tuple(counts)

    def _move_one(self, counts, allocation):
        room = [limit - buffers.total_bytes for limit, buffers in zip(self._budget.device_bytes, allocation.devices, strict=True)]
        fullest, emptiest = room.index(min(room)), room.index(max(room))
        if room[fullest] >= 0 or sum(room) < 0 or counts[fullest] == 0:
            return None
        moved = list(counts)
        moved[fullest] -= 1
        moved[emptiest] += 1
        return tuple(moved)

    def _allocate(self, ctx_size, gpu_layers, n_cpu_moe, counts, override_tensor=()):
        settings = {**self._fixed, "ctx_size": ctx_size, "gpu_layers": gpu_layers, "n_cpu_moe": n_cpu_moe, "override_tensor": list(override_tensor)}
        if len(counts) > 1 and any(counts):
            settings["tensor_split"] = [float(count) for count in counts]
        return allocate(self._model, resolve(settings, self._model), self._devices)


def _selections(sizes):
    """Every real part of the names in C(sizes), that with the most bytes first."""
    parts = [part for count in range(1, len(sizes)) for part in combinations(sorted(sizes), count)]
    return sorted(parts, key=lambda part: -sum(sizes[name] for name in part))
