# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The search for a placement.

The objective is decoding: as few bytes as possible that a token reads from RAM, then few changes between devices. In this order:

  everything on one GPU, the fastest that holds it; everything on all GPUs, without pipeline parallelism if need be;
  all layers, but some experts stay in RAM, of each GPU's blocks as few as possible;
  as many layers as fit without experts, and of the experts what then still fits;
  of a model without experts as many layers as fit or all layers but the feed-forward parts of some, whichever leaves less in RAM.

A layer is a block or the output; llama.cpp takes layers from the end, the output first (_memory/layout.py). What a layer weighs
is known (sizes.py); compute buffers are learned from an allocation and taken for those of the next try.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from .._memory.cache import families
from .._memory.devices import HOST
from .._memory.layout import layout
from .._memory.memory import Allocation
from .._memory.settings import resolve
from . import apart
from .spread import fits, spread

ATTEMPTS = 6
"""Allocations that one step of the search asks for at most; two or three are the rule."""

SHARES_OF_APART = (1, 0.5, 0.25, 0)
"""How much of the tensors that may stay in RAM counts when layers are shared out; the first with which the rest fits is taken."""

NOTHING = "nothing"
"""A pattern that no tensor's name has. llama.cpp does without pipeline parallelism where tensors are overridden (llama-context.cpp)."""


@dataclass(frozen=True)
class Try:
    """One placement that was asked about: C(apart) are the tensors in RAM of blocks on a GPU, {block: names}."""

    gpu_layers: int
    layers_per_gpu: tuple[int, ...]
    apart: dict[int, tuple[str, ...]]
    allocation: Allocation

    @property
    def compute_bytes(self):
        return tuple(buffers.compute_bytes for buffers in self.allocation.devices)


class Search:
    """The search for one context."""

    def __init__(self, placer, ctx_size):
        self._model, self._devices, self._budget, self._fixed = placer.model, placer.devices, placer.budget, placer.fixed
        self._sizes = placer.sizes if placer.devices else None
        self._probe = placer.probe
        self._learned = False
        """Whether tries may take the compute buffers of others like them."""
        self._n_layers = placer.n_layers
        self._ctx_size = ctx_size
        self._limits = placer.budget.device_bytes
        self._split_is_fixed = bool(placer.fixed.get("tensor_split")) or placer.fixed.get("split_mode", "layer") != "layer"
        self._compute = (0,) * len(placer.devices)
        """Of the allocation asked for last."""

    def best(self):
        """The Try that meets the objective, or comes nearest to the budget.

        Allocations of others like it stand in for most of those it would need; what is found with them is then asked about.
        """
        for self._learned in (True, False):
            found = self._best()
            asked = replace(found, allocation=self._probe.ask(found.allocation.settings))
            if asked == found or (self._budget.holds(asked.allocation) and not self._has_more_room(asked, found)):
                break
        return asked

    @staticmethod
    def _has_more_room(one, other):
        return any(size < than for size, than in zip(one.compute_bytes, other.compute_bytes, strict=True))

    def _best(self):
        whole = self.whole(self._n_layers)
        if self._budget.holds(whole.allocation):
            return whole
        if len(self._devices) > 1 and not self._fixed.get("override_tensor") and sum(self._whole) <= sum(self._limits):
            unpipelined = self._spread_whole(self._n_layers, unpipelined=True)
            if self._budget.holds(unpipelined.allocation):
                return unpipelined
        found = [each for each in self._partly() if each is not None]
        holding = [each for each in found if self._budget.holds(each.allocation)]
        if holding:
            return min(holding, key=self._read_from_ram)
        found += [self.try_layers(0, (0,) * len(self._devices)), whole]
        return min(found, key=lambda each: sum(shortfall.missing_bytes for shortfall in self._budget.shortfalls(each.allocation)))

    def whole(self, gpu_layers):
        """The Try with C(gpu_layers) layers on the GPUs, all on one where they are all there are and it holds them."""
        if gpu_layers == self._n_layers and len(self._devices) > 1 and not self._split_is_fixed:
            total = sum(self._whole)
            for number in self._budget.best_first():
                if total > self._limits[number]:
                    continue
                alone = self.try_layers(gpu_layers, tuple(gpu_layers * (number == other) for other in range(len(self._devices))))
                if self._budget.holds(alone.allocation):
                    return alone
        return self._spread_whole(gpu_layers)

    def spread_over_all(self):
        """The Try with every layer on the devices, and all of these in use as far as there are layers."""
        found = self._spread_whole(self._n_layers)
        if self._budget.holds(found.allocation) or sum(self._whole) > sum(self._limits):
            return found
        unpipelined = self._spread_whole(self._n_layers, unpipelined=True)
        return unpipelined if self._budget.holds(unpipelined.allocation) else found

    def try_layers(self, gpu_layers, counts, chosen=None, unpipelined=False):
        """The Try with C(counts) layers on each GPU and C(chosen), {block: names}, in RAM."""
        settings = {**self._fixed, "ctx_size": self._ctx_size, "gpu_layers": gpu_layers}
        if not self._split_is_fixed and len(counts) > 1 and any(counts):
            settings["tensor_split"] = [float(count) for count in counts]
        if chosen:
            homes = self._homes(gpu_layers, counts)
            names = [None if home == HOST else self._devices[home].name for home in homes]
            settings["n_cpu_moe"], settings["override_tensor"] = apart.flags(chosen, self._sizes, names)
        elif unpipelined:
            # a buffer that is there whatever devices are: those reached by RPC are called by their server's address
            settings["override_tensor"] = [f"{NOTHING}={next((device.name for device in self._devices if not device.remote), 'CPU')}"]
        ask = self._probe.about if self._learned else self._probe.ask
        allocation = ask(resolve(settings, self._model))
        homes = (*allocation.layout.blocks, allocation.layout.output)
        found = Try(gpu_layers, tuple(homes.count(number) for number in range(len(self._devices))), dict(chosen or {}), allocation)
        self._compute = found.compute_bytes
        return found

    def _partly(self):
        """Tries that leave something in RAM; None among them where there is none of a kind."""
        if not any(self._apart):
            yield self._most_layers(self._whole)
        elif self._sizes.has_experts:
            everything = self._fill(self._n_layers)
            if everything is not None:
                yield everything
                return
            without = self._most_layers(self._rest, all_apart=True)
            yield without
            yield without and self._fill(without.gpu_layers)
        else:
            yield self._fill(self._n_layers)
            layers = self._most_layers(self._whole)
            yield layers
            if layers is not None and layers.gpu_layers + 1 < self._n_layers:
                yield self._fill(layers.gpu_layers + 1)

    def _spread_whole(self, gpu_layers, unpipelined=False):
        """C(gpu_layers) layers shared out; the first Try that fits, or the last."""
        sizes = self._whole[self._n_layers - gpu_layers :]
        room, tried, found = self._room(), set(), None
        for _attempt in range(ATTEMPTS):
            counts = spread(sizes, room)
            if counts in tried:
                break
            tried.add(counts)
            found = self.try_layers(gpu_layers, counts, unpipelined=unpipelined)
            room = self._room()
            if self._fits_on_gpus(found) or sum(sizes) > sum(room):
                break
        return found

    def _most_layers(self, sizes, all_apart=False):
        """The Try with the most layers of C(sizes) that fit, or None; C(all_apart): what may stay in RAM does."""
        best, upto, tried = None, self._n_layers, set()
        for _attempt in range(2 * ATTEMPTS):
            gpu_layers = self._most_that_fit(sizes, upto)
            if best is not None and gpu_layers <= best.gpu_layers:
                break
            first = self._n_layers - gpu_layers
            counts = spread(sizes[first:], self._room())
            if (gpu_layers, counts) in tried or gpu_layers == 0:
                if gpu_layers == 0:
                    break
                upto = gpu_layers - 1
                continue
            tried.add((gpu_layers, counts))
            chosen = {block: tuple(names) for block, names in enumerate(self._sizes.apart) if block >= first and names} if all_apart else None
            found = self.try_layers(gpu_layers, counts, chosen)
            if self._fits_on_gpus(found):
                best = found
            elif len(self._devices) == 1:
                upto = gpu_layers - 1
        return best

    def _most_that_fit(self, sizes, upto):
        """The most layers, up to C(upto), that fit beside the compute buffers known."""
        room, low = self._room(), 0
        while low < upto:
            middle = (low + upto + 1) // 2
            if fits(sizes[self._n_layers - middle :], room):
                low = middle
            else:
                upto = middle - 1
        return low

    def _fill(self, gpu_layers):
        """The Try with C(gpu_layers) layers on the GPUs and the least of them left in RAM, or None.

        From the first block on llama-server has a plain option for it (n_cpu_moe). From the last block on the compute buffers can
        be smaller: the last block works on the rows of the output alone, which are too few for a GPU to fetch weights for them.
        """
        start = self._compute
        best = self._fill_with(gpu_layers)
        if best is None or not best.apart:
            return best
        learned, self._compute = self._compute, start
        if set(self._choose_at(gpu_layers, from_last=True) or ()) - {self._model.n_layer - 1}:
            self._compute = learned
        best = self._less_in_ram(best, self._fill_with(gpu_layers, from_last=True))
        if gpu_layers < self._n_layers or not best.allocation.settings.op_offload:
            return best
        # The first GPU works on what lies in RAM, and the largest tensor there passes through it: without that one there is more room.
        largest = max(self._sizes.apart[block][name] for block, names in best.apart.items() for name in names)
        for size in sorted({size for tensors in self._sizes.apart for size in tensors.values() if size < largest}, reverse=True):
            compute = (max(best.compute_bytes[0] - largest + size, 0), *best.compute_bytes[1:])
            for from_last in (False, True):
                self._compute = compute
                chosen = self._choose_at(gpu_layers, size, from_last)
                if chosen and self._apart_bytes(chosen) < self._apart_bytes(best.apart):
                    best = self._less_in_ram(best, self._fill_with(gpu_layers, size, from_last))
        return best

    def _less_in_ram(self, best, other):
        """The better of two; the second may be None."""
        return other if other is not None and self._read_from_ram(other) < self._read_from_ram(best) else best

    def _fill_with(self, gpu_layers, largest=None, from_last=False):
        best, tried = None, []
        for _attempt in range(ATTEMPTS):
            counts = self._counts_with_apart(gpu_layers)
            chosen = None if counts is None else self._choose(gpu_layers, counts, largest, from_last)
            if chosen is None or (counts, chosen) in tried:
                break
            tried.append((counts, chosen))
            found = self.try_layers(gpu_layers, counts, chosen)
            if self._fits_on_gpus(found):
                if best is not None and self._read_from_ram(found) >= self._read_from_ram(best):
                    break
                best = found
        return best

    def _choose_at(self, gpu_layers, largest=None, from_last=False):
        counts = self._counts_with_apart(gpu_layers)
        return None if counts is None else self._choose(gpu_layers, counts, largest, from_last)

    def _counts_with_apart(self, gpu_layers):
        """Layers for each GPU such that all of them lack about the same part of their room, and hold the rest; None where they can't."""
        first, room = self._n_layers - gpu_layers, self._room()
        for share in SHARES_OF_APART:
            counts = spread([rest + int(share * more) for rest, more in zip(self._rest[first:], self._apart[first:], strict=True)], room)
            homes = self._homes(gpu_layers, counts)
            if all(self._on(number, homes, self._rest) <= room[number] for number in range(len(room))):
                return counts
        return None

    def _choose(self, gpu_layers, counts, largest, from_last):
        """{block: names} that stay in RAM, none larger than C(largest), so that each GPU holds the rest; None where they don't."""
        homes, room, chosen = self._homes(gpu_layers, counts), self._room(), {}
        for number in range(len(room)):
            tensors = {
                block: {name: size for name, size in names.items() if largest is None or size <= largest}
                for block, names in enumerate(self._sizes.apart)
                if homes[block] == number
            }
            found = apart.choose(tensors, self._on(number, homes, self._whole) - room[number], self._sizes.share, from_last)
            if found is None:
                return None
            chosen.update(found)
        return chosen

    def _homes(self, gpu_layers, counts):
        """The device of each layer."""
        if self._split_is_fixed:
            where = layout(self._model, resolve({**self._fixed, "ctx_size": self._ctx_size, "gpu_layers": gpu_layers}, self._model), self._devices)
            return (*where.blocks, where.output)
        homes = [HOST] * (self._n_layers - gpu_layers)
        for number, count in enumerate(counts):
            homes += [number] * count
        return tuple(homes)

    def _room(self):
        return [limit - compute for limit, compute in zip(self._limits, self._compute, strict=True)]

    def _fits_on_gpus(self, found):
        return all(buffers.total_bytes <= limit for buffers, limit in zip(found.allocation.devices, self._limits, strict=True))

    def _read_from_ram(self, found):
        """What a token reads from RAM: weights, half of the cache, and what changes between devices cost."""
        homes = (*found.allocation.layout.blocks, found.allocation.layout.output)
        on_host = self._on(HOST, homes, self._weights) + self._sizes.share * self._on(HOST, homes, self._apart) + self._on(HOST, homes, self._cache) / 2
        return on_host + self._sizes.share * self._apart_bytes(found.apart) + 2 * apart.CHANGE_BYTES * len(found.apart)

    def _apart_bytes(self, chosen):
        return sum(self._sizes.apart[block][name] for block, names in chosen.items() for name in names)

    @staticmethod
    def _on(number, homes, sizes):
        return sum(size for size, home in zip(sizes, homes, strict=True) if home == number)

    @cached_property
    def _weights(self):
        """Bytes of each layer's weights on a GPU, without those that may stay in RAM."""
        return (*self._sizes.blocks, self._sizes.output)

    @cached_property
    def _cache(self):
        """Bytes of each layer's cache on the layer's device."""
        settings = resolve({**self._fixed, "ctx_size": self._ctx_size}, self._model)
        return (*(families.cache(self._model, settings) if settings.kv_offload else (0,) * self._model.n_layer_all), 0)

    @cached_property
    def _apart(self):
        """Bytes of each layer that may stay in RAM."""
        return (*(sum(tensors.values()) for tensors in self._sizes.apart), 0)

    @cached_property
    def _rest(self):
        """Bytes that go where the layer goes: weights and cache."""
        return tuple(map(sum, zip(self._weights, self._cache, strict=True)))

    @cached_property
    def _whole(self):
        return tuple(map(sum, zip(self._rest, self._apart, strict=True)))
