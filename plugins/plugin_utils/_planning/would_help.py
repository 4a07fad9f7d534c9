# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is missing, and what would help: the figures behind a refusal, and how much more would put more on the GPUs."""

from __future__ import annotations

from .._memory.devices import HOST
from .._memory.settings import is_quantized
from .._memory.weights import placed_tensors
from .._units import GIB, counted, human
from .context import largest, room
from .objective import SMALLEST
from .smaller_quantization import largest_that_fits

WORTH_SAYING_BYTES = GIB
"""Less memory than this is not what somebody would buy or free."""


def missing(chooser, choice):
    """C({to_run: [...], for_all_on_gpu: [...], largest_quantization: {...}}): where how many bytes are missing, and what would fit instead."""
    to_run = [] if choice.fits else chooser.budget.shortfalls(choice.placement.allocation)
    for_all = []
    if chooser.devices and not chooser.all_on_gpu(choice.placement.allocation) and not chooser.wishes.placement_is_fixed:
        for_all = chooser.budget.shortfalls(_everything(chooser, choice, choice.ctx_size).allocation)
    return {"to_run": _plain(to_run), "for_all_on_gpu": _plain(for_all), "largest_quantization": _largest_quantization(chooser, choice)}


def _plain(shortfalls):
    return [{"where": shortfall.where, "missing_bytes": shortfall.missing_bytes} for shortfall in shortfalls]


def _largest_quantization(chooser, choice):
    """C({name, size_bytes}) of what would run; None where the model runs, or none would."""
    if choice.fits or chooser.budget.holds(choice.placement.allocation):
        return None
    found = largest_that_fits(chooser.model, lambda model: chooser.with_model(model).find().fits)
    return found and {"name": found.name, "size_bytes": found.size_bytes}


def _everything(chooser, choice, ctx_size):
    return chooser.place(choice.settings, ctx_size, chooser.n_layers)[0]


def would_help(chooser, choice, lacking):
    """A list of sentences, empty where everything is on the GPUs at the context wanted."""
    if not choice.fits:
        return [*_refused(chooser, choice), *_smaller(chooser, choice, lacking["largest_quantization"]), *_less_context_to_run(chooser, choice)]
    if not chooser.devices or chooser.all_on_gpu(choice.placement.allocation):
        return []
    sentences = []
    vram = [row["missing_bytes"] for row in lacking["for_all_on_gpu"] if row["where"] != "RAM"]
    if vram:
        sentences.append(f"{human(sum(vram))} more VRAM would put everything on the GPU.")
    return [*sentences, *_more_blocks(chooser, choice), *_less_context(chooser, choice)]


def _refused(chooser, choice):
    if not chooser.wishes.allow_cpu:
        if not chooser.devices:
            yield "A GPU: allow_cpu is false, and the node has none to use."
        elif chooser.budget.holds(choice.placement.allocation):
            yield "More layers on the GPU: allow_cpu is false, and part of the model is told to stay in RAM."
        else:
            yield "allow_cpu=true, which leaves in RAM what doesn't fit on the GPU."
    for shortfall in chooser.budget.shortfalls(choice.placement.allocation):
        where = "RAM" if shortfall.where == "RAM" else f"memory on {shortfall.where}"
        yield f"{human(shortfall.missing_bytes)} more {where}."


def _smaller(chooser, choice, largest):
    if largest is not None:
        yield f"A smaller quantization: {largest['name']}, about {human(largest['size_bytes'])}, is the largest that would fit."
    elif not chooser.budget.holds(choice.placement.allocation):
        yield "No quantization of this model would fit."


def _less_context_to_run(chooser, choice):
    if choice.ctx_size <= SMALLEST or chooser.budget.holds(choice.placement.allocation):
        return
    layers = chooser.wishes.gpu_layers if chooser.wishes.allow_cpu else chooser.whole_layers

    def try_context(ctx_size):
        placement, fits = chooser.place(choice.settings, ctx_size, layers)
        return ctx_size, fits, min(room(chooser.budget, placement.allocation))

    ctx_size = SMALLEST if chooser.wishes.allow_cpu and try_context(SMALLEST)[1] else None
    if not chooser.wishes.allow_cpu:
        ctx_size, _found = largest(SMALLEST, choice.ctx_size, try_context(choice.ctx_size)[2], try_context)
    if ctx_size is not None:
        yield f"A context of {ctx_size} instead of {choice.ctx_size} would fit."


def _more_blocks(chooser, choice):
    """More VRAM, or a smaller cache, would bring blocks that are next to the GPUs."""
    allocation = choice.placement.allocation
    sizes = _blocks_in_ram(chooser, allocation)
    free = max(0, *room(chooser.budget, allocation)[:-1])
    what = "the experts of " if chooser.has_experts and choice.placement.gpu_layers == chooser.n_layers else ""
    needed = 0
    for count, size in enumerate(sizes, 1):
        needed += size
        if needed - free >= WORTH_SAYING_BYTES or count == len(sizes):
            yield f"{human(max(needed - free, 0))} more VRAM would put {what}{counted(count, 'block')} more on the GPU."
            break
    if is_quantized(allocation.settings.cache_type_k) or not allocation.settings.flash_attn or not chooser.has_room_for_graph("q8_0"):
        return
    smaller = chooser.probe.with_settings(allocation, cache_type_k="q8_0", cache_type_v="q8_0")
    left = max(room(chooser.budget, smaller)[:-1])
    count = 0
    while count < len(sizes) and sum(sizes[: count + 1]) <= left:
        count += 1
    if count:
        yield f"A q8_0 KV cache would put {what}{counted(count, 'block')} more on the GPU."


def _blocks_in_ram(chooser, allocation):
    """Bytes of each block that is in RAM, in whole or its experts; that first which would be the next on a GPU."""
    sizes = {}
    for device, size, _group, block in placed_tensors(chooser.model, allocation.settings, chooser.devices, allocation.layout):
        if device == HOST and block is not None:
            sizes[block] = sizes.get(block, 0) + size
    whole = [block for block in sizes if allocation.layout.blocks[block] == HOST]
    for block in whole:
        sizes[block] += allocation.host.kv_bytes // len(whole)
    return [sizes[block] for block in sorted(sizes, reverse=True)]


def _less_context(chooser, choice):
    """How much context everything on the GPUs would leave, by a straight line between two figures."""
    if choice.ctx_size <= SMALLEST or chooser.wishes.placement_is_fixed:
        return
    everything = _everything(chooser, choice, choice.ctx_size).allocation
    if sum(buffers.weights_bytes for buffers in everything.devices) > sum(chooser.budget.device_bytes):
        return
    least = min(room(chooser.budget, _everything(chooser, choice, SMALLEST).allocation))
    most = min(room(chooser.budget, everything))
    if least >= 0 > most:
        ctx_size = SMALLEST + int((choice.ctx_size - SMALLEST) * least / (least - most))
        yield f"A context of about {ctx_size // 1024 * 1024} would put everything on the GPU."
