# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The search for the best choice (objective.py): coarse, and with as few questions to the memory rules as lead to it.

Where everything fits on the GPUs nothing else is to be gained. Else the placement for the settings that come first is found,
and each other setting is tried against it: first at the same placement, with one question; only where even the best that its
memory could be used for would be a gain, the placement is sought anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._memory.cache.attention import head_lengths
from .._memory.cache.refused import holds_heads
from .._memory.settings import is_quantized, resolve
from .._units import human
from .context import bounds, largest, room
from .estimate import Estimate
from .fixed_placement import FixedPlacer
from .objective import CACHE_MARGIN, MARGIN, REQUESTS, SAME, better, gain
from .placement import Placement, Placer
from .probe import BATCH, Probe

LARGE_UBATCH = 2048
"""A prompt then has the weights in RAM sent to the GPU once for each 2048 tokens, not for each 512."""


@dataclass(frozen=True)
class Choice:
    """C(why): why this context; one of asked, trained, most, reduced, partial, raised or smallest. C(settings): what was chosen beside it."""

    ctx_size: int
    placement: Placement
    fits: bool
    why: str
    settings: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Rejected:
    """An alternative: its settings, what it would give, and why it was not taken."""

    settings: tuple[tuple[str, object], ...]
    gives: str
    why_not: str


class Chooser:
    """One search for one plan. C(rejected) fills as it goes."""

    placer = Placer
    """What places where the user fixed nothing."""

    def __init__(self, model, node, devices, budget, wishes):
        self.model, self.node, self.devices, self.budget, self.wishes = model, node, devices, budget, wishes
        self.fixed = {name: list(value) if isinstance(value, tuple) else value for name, value in wishes.fixed}
        self.bounds = bounds(wishes, model.n_ctx_train)
        self.estimate = Estimate(model, node, devices, REQUESTS[wishes.prefer], wishes.load_mode)
        self.probe = Probe(model, devices, self.fixed.get("batch_size") or BATCH)
        self.rejected = []
        self.n_layers = model.n_layer_all + 1
        self.has_experts = self.estimate.has_experts
        self.whole_layers = self.n_layers if wishes.gpu_layers in (None, "all") else min(wishes.gpu_layers, self.n_layers)
        self._placers = {}
        self._placed = {}

    def with_model(self, model):
        """A search for another model with the same node, budgets and wishes."""
        return Chooser(model, self.node, self.devices, self.budget, self.wishes)

    def find(self):
        """The Choice. It doesn't fit where all has to be on the GPUs and is not, whatever the budgets hold."""
        choice = self._whole() or self._partial()
        if not self.wishes.allow_cpu and not self.all_on_gpu(choice.placement.allocation):
            return replace(choice, fits=False)
        return choice

    def place(self, settings, ctx_size, gpu_layers):
        """(Placement, whether it fits), each asked once."""
        key = (settings, ctx_size, gpu_layers)
        if key not in self._placed:
            if settings not in self._placers:
                kind = FixedPlacer if self.wishes.placement_is_fixed else self.placer
                self._placers[settings] = kind(self.model, self.devices, self.budget, (*self.wishes.fixed, *settings), self.probe)
            self._placed[key] = self._placers[settings].place(ctx_size, gpu_layers)
        return self._placed[key]

    def all_on_gpu(self, allocation):
        return bool(self.devices) and self.estimate.work(allocation).host_bytes == 0 and allocation.host.kv_bytes == 0

    def first_settings(self, cache_type=None):
        """The settings that come first, with a cache type."""
        cache_type = cache_type or next(iter(self.cache_types()), None)
        settings = () if cache_type in (None, "f16") else (("cache_type_k", cache_type), ("cache_type_v", cache_type))
        if self.wishes.prefer == "prefill" and self.devices and "ubatch_size" not in self.fixed:
            settings += (("ubatch_size", LARGE_UBATCH),)
        return settings

    def cache_types(self):
        """The cache types to choose from that the model can have; the first asked for where it can have none, so that llama.cpp's reason is told."""
        flash_attn = self.fixed.get("flash_attn") != "off" and self.model.architecture != "grok"
        lengths = head_lengths(self.model)
        possible = [
            kind
            for kind in self.wishes.cache_types
            if not is_quantized(kind) or (flash_attn and all(holds_heads(kind, length) for length in lengths) and self.has_room_for_graph(kind))
        ]
        return possible or list(self.wishes.cache_types[:1])

    def has_room_for_graph(self, kind):
        """Whether llama.cpp's scheduler has room for the graph with a quantized cache (_memory/graph/limit.py)."""
        cache = {"cache_type_k": kind, "cache_type_v": kind}
        return self.probe.runs(resolve({**self.fixed, **cache, "ctx_size": self.bounds.least, "gpu_layers": 0}, self.model))

    def _whole(self):
        """Everything on the GPUs (of gpu_layers, those), or without a GPU everything in RAM; None where that doesn't fit and something else may."""
        if self.wishes.allow_cpu and self._weights_are_too_many():
            return None
        for cache_type in self.cache_types() or [None]:
            settings = self.first_settings(cache_type)
            placement, fits = self.place(settings, self.bounds.most, self.whole_layers)
            if fits:
                return Choice(self.bounds.most, placement, True, self._why_most(), settings)
            if self.wishes.prefer == "context" and self.wishes.allow_cpu:
                continue
            missing = min(room(self.budget, placement.allocation))
            ctx_size, placement = largest(self.bounds.least, self.bounds.most, missing, lambda size, settings=settings: self._try_whole(settings, size))
            if ctx_size is not None:
                return Choice(ctx_size, placement, True, "reduced", settings)
        if self.wishes.allow_cpu:
            return None
        placement, fits = self.place(settings, self.bounds.least, self.whole_layers)
        return Choice(self.bounds.least, placement, fits, self._why_least(), settings)

    def _weights_are_too_many(self):
        """The GPUs can't hold the weights alone: nothing needs to be asked. The file's sizes are never more than what they take there."""
        if not self.devices or self._placement_is_given():
            return False
        blocks = sum(group.size_bytes * sum(block < self.model.n_layer for block in group.blocks) for group in self.model.tensors if group.blocks is not None)
        return blocks > sum(self.budget.device_bytes)

    def _try_whole(self, settings, ctx_size):
        placement, fits = self.place(settings, ctx_size, self.whole_layers)
        return placement, fits, min(room(self.budget, placement.allocation))

    def _why_most(self):
        if self.bounds.asked:
            return "asked"
        return "trained" if self.wishes.ctx_max is None else "most"

    def _why_least(self):
        return "asked" if self.bounds.least_asked else "smallest"

    def _partial(self):
        """Something stays in RAM."""
        choice = self._first_that_fits()
        if not choice.fits:
            return choice
        return self._with_more_context(self._improved(self._with_all_layers(choice)))

    def _with_all_layers(self, choice):
        """Of a model with experts, all layers but experts on the GPUs where another setting makes that possible: far better than whole layers."""
        if choice.placement.gpu_layers == self.n_layers or not self.has_experts or not self.devices or self._placement_is_given():
            return choice
        present = choice.placement.allocation.settings
        smaller = [kind for kind in self.cache_types() if kind != present.cache_type_k][-1:]
        caches = [(("cache_type_k", kind), ("cache_type_v", kind)) for kind in smaller]
        off = (("op_offload", False),) if "op_offload" not in self.fixed else ()
        for more in (*caches, *([off] if off else ()), *((*cache, *off) for cache in caches if off)):
            settings = tuple({**dict(choice.settings), **dict(more)}.items())
            placement, fits = self.place(settings, choice.ctx_size, None)
            if fits and placement.gpu_layers == self.n_layers:
                found = replace(choice, placement=placement, settings=settings)
                if self._seconds(found) < self._seconds(choice):
                    kept = tuple((name, dict(choice.settings).get(name, _shown(present, name))) for name, _value in more)
                    gives = f"{choice.placement.gpu_layers} of {self.n_layers} layers on the GPU"
                    self.rejected.append(Rejected(kept, gives, _longer(self._seconds(choice), self._seconds(found))))
                    return found
        return choice

    def _first_that_fits(self):
        """For the wanted context, else for less; of the settings those that come first. What needs least is asked soon: it says if any fits."""
        first, *others = self._by_rank()
        choice = self._partial_choice(*first)
        if choice.fits or not others:
            return choice
        last = self._partial_choice(*others[-1])
        if not last.fits:
            return last
        return next((choice for choice in (self._partial_choice(*other) for other in others[:-1]) if choice.fits), last)

    def _partial_choice(self, ctx_size, why, settings):
        placement, fits = self.place(settings, ctx_size, self.wishes.gpu_layers)
        return Choice(ctx_size, placement, fits, why, settings)

    def _by_rank(self):
        """(context, why, settings) from the most wanted to what needs least: the context, then the cache type, last a single slot."""
        types = self.cache_types() or [None]
        found = [(size, why, self.first_settings(kind)) for size, why in self._contexts() for kind in types]
        if not {"parallel", "kv_unified"} & set(self.fixed):
            size, why, settings = found[-1]
            found.append((size, why, (*settings, ("parallel", 1))))
        return found

    def _contexts(self):
        """(context, why) in the order in which they are tried."""
        if self.wishes.prefer == "context":
            size = self.bounds.most
            yield size, self._why_most()
            while size // 2 > self.bounds.least:
                size = size // 2 // 256 * 256
                yield size, "reduced"
        elif self.bounds.partial > self.bounds.least or not self.bounds.least_asked:
            yield self.bounds.partial, "partial"
        if self.wishes.prefer != "context" or self.bounds.most > self.bounds.least:
            yield self.bounds.least, self._why_least()

    def _levers(self, allocation):
        """(settings, their fields in Settings, the gain that counts) that are tried one after the other."""
        free = {name for name in ("ubatch_size", "op_offload") if name not in self.fixed} if self.devices else set()
        settings = allocation.settings
        if "ubatch_size" in free and settings.n_ubatch < min(LARGE_UBATCH, settings.n_batch):
            yield {"ubatch_size": LARGE_UBATCH}, {"n_ubatch": min(LARGE_UBATCH, settings.n_batch)}, MARGIN
        if "op_offload" in free:
            yield {"op_offload": False}, {"op_offload": False}, MARGIN
        for cache_type in self.cache_types():
            if cache_type != settings.cache_type_k:
                both = {"cache_type_k": cache_type, "cache_type_v": cache_type}
                yield both, both, CACHE_MARGIN

    def _improved(self, choice):
        """C(choice), or a better one with other settings: what they would do is estimated at the same placement, then the best are placed."""
        present, settings = choice.placement.allocation, dict(choice.settings)
        for lever, changes, margin in self._levers(present):
            probed = self.probe.with_settings(present, **changes)
            gained = gain(self._filled_seconds(probed), self._filled_seconds(present))
            if gained >= margin:
                kept = {name: settings.get(name, _shown(present.settings, name)) for name in lever}
                self.rejected.append(
                    Rejected(tuple(kept.items()), self._room_in_words(present, probed), _longer(self._filled_seconds(present), self._filled_seconds(probed)))
                )
                present, settings = probed, {**settings, **lever}
            else:
                self.rejected.append(Rejected(tuple(lever.items()), self._room_in_words(probed, present), _why_not(gained, margin)))
        chosen = tuple(settings.items())
        if chosen == choice.settings:
            return choice
        found = self._placed_anew(choice, present, chosen)
        if found is not None and self._seconds(found) < self._seconds(choice):
            return found
        self.rejected.append(Rejected(chosen, "about the same on the GPU", "placed in whole tensors it gains nothing"))
        return choice

    def _placed_anew(self, choice, allocation, settings):
        """The same placement where it holds and little else would fit; else a new one, None if that doesn't fit."""
        holds = self.budget.holds(allocation)
        as_good = choice.placement.gpu_layers == self.n_layers or not self.has_experts
        if holds and as_good and (self._placement_is_given() or not better(self._filled_seconds(allocation), self.estimate.seconds(allocation), SAME)):
            return replace(choice, placement=replace(choice.placement, allocation=allocation), settings=settings)
        placement, fits = self.place(settings, choice.ctx_size, self.wishes.gpu_layers)
        return replace(choice, placement=placement, settings=settings) if fits else None

    def _seconds(self, choice):
        return self.estimate.seconds(choice.placement.allocation)

    def _filled_seconds(self, allocation):
        """As if weights could be moved byte by byte: what room there is on the GPUs is used, and what is too much there is in RAM."""
        if not self._placement_is_given():
            return self.estimate.seconds(allocation, moved_bytes=-self._free_bytes(allocation))
        return self.estimate.seconds(allocation) if self.budget.holds(allocation) else float("inf")

    def _placement_is_given(self):
        return self.wishes.placement_is_fixed or self.wishes.gpu_layers is not None

    def _free_bytes(self, allocation):
        """Bytes of weights that could move to the GPUs, or, negative, would have to leave them."""
        return sum(room(self.budget, allocation)[:-1])

    def _room_in_words(self, allocation, other):
        more = self._free_bytes(allocation) - self._free_bytes(other)
        return f"{human(more)} more room on the GPU" if more >= 0 else f"{human(-more)} less room on the GPU"

    def _with_more_context(self, choice):
        """As much more context as fits with nothing moved."""
        most = self.bounds.most
        if choice.ctx_size >= most:
            return choice
        at_most = self._try_context(choice, most)
        if at_most[1]:
            return replace(choice, ctx_size=most, placement=at_most[0], why=self._why_most())
        ctx_size, placement = largest(choice.ctx_size, most, at_most[2], lambda size: self._try_context(choice, size))
        if ctx_size is None or ctx_size <= choice.ctx_size:
            return choice
        return replace(choice, ctx_size=ctx_size, placement=placement, why="raised")

    def _try_context(self, choice, ctx_size):
        allocation = self.probe.with_context(choice.placement.allocation, ctx_size)
        return replace(choice.placement, allocation=allocation), self.budget.holds(allocation), min(room(self.budget, allocation))


def _shown(settings, name):
    """A setting as it is without having been chosen."""
    return settings.n_ubatch if name == "ubatch_size" else getattr(settings, name)


def _longer(seconds, than):
    if seconds == float("inf"):
        return "it does not fit"
    return f"a request would take {-gain(seconds, than) * 100:.0f} % longer"


def _why_not(gained, margin):
    if gained == -float("inf"):
        return "it does not fit"
    if gained <= -0.005:
        return f"a request would take {-gained * 100:.0f} % longer"
    if gained < 0.001:
        return "it gains nothing"
    return f"it takes {gained * 100:.1f} % off a request's time, less than the {margin * 100:.0f} % that count"
