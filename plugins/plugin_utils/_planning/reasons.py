# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why the plan is as it is, in sentences with numbers; and what the user should know."""

from __future__ import annotations

from .._memory.devices import HOST
from .._units import human
from .context import PARTIAL, SMALLEST


def reasons(model, node, wishes, budget, choice, backend, cache_ram_bytes):
    """A list of sentences: placement, context, memory, backend."""
    allocation = choice.placement.allocation
    return [
        _placement(model, node, choice),
        _context(model, choice),
        *(_missing(shortfall) for shortfall in budget.shortfalls(allocation)),
        *_room(node, budget, choice),
        _ram(node, budget, allocation),
        _cache_ram(cache_ram_bytes),
        f"Backend {backend.name}: {backend.reason}.",
    ]


def warnings(model, node, choice, settings):
    """A list of sentences, empty where there is nothing to warn of."""
    found = [f"{name} is left out: one build of llama.cpp drives one vendor's GPUs." for name in node.ignored_gpus]
    if settings.n_ctx_seq > model.n_ctx_train:
        found.append(f"The context of {settings.n_ctx_seq} tokens is longer than the {model.n_ctx_train} the model was trained with.")
    if choice.why == "smallest" and choice.fits:
        found.append(f"The context is only {choice.ctx_size} tokens.")
    if choice.fits and node.gpus and choice.placement.gpu_layers == 0:
        found.append("No layer fits on the GPUs: the CPU does the work.")
    return found


def _placement(model, node, choice):
    n_layers = model.n_layer_all + 1
    on_gpu = choice.placement.gpu_layers
    if not node.gpus:
        return f"All {n_layers} layers ({model.n_layer_all} blocks and the output) run on the CPU: there is no GPU to use."
    shares = ", ".join(f"{count} on {gpu.device}" for count, gpu in zip(choice.placement.layers_per_gpu, node.gpus, strict=True))
    if on_gpu == n_layers:
        experts = choice.placement.n_cpu_moe
        apart = f", but the experts of {experts} blocks stay in RAM: more don't fit" if experts else ""
        return f"All {n_layers} layers ({model.n_layer_all} blocks and the output) go to the GPU: {shares}{apart}."
    blocks = sum(1 for device in choice.placement.allocation.layout.blocks if device == HOST)
    return f"{on_gpu} of {n_layers} layers go to the GPU ({shares}), {blocks} blocks stay in RAM: more don't fit."


def _context(model, choice):
    return {
        "asked": f"Context {choice.ctx_size}: as asked.",
        "trained": f"Context {choice.ctx_size}: all that the model was trained with.",
        "reduced": f"Context {choice.ctx_size} of the {model.n_ctx_train} the model was trained with: the most with this placement.",
        "partial": f"Context {choice.ctx_size}: not everything fits on the GPU, so it is held at {PARTIAL} and more stays there; ask for more with ctx_size.",
        "smallest": f"Context {choice.ctx_size}: not reduced below {SMALLEST} unless asked.",
    }[choice.why]


def _missing(shortfall):
    return f"Does not fit: {shortfall.where} lacks {human(shortfall.missing_bytes)}."


def _room(node, budget, choice):
    for gpu, limit, buffers in zip(node.gpus, budget.device_bytes, choice.placement.allocation.devices, strict=True):
        if buffers.total_bytes <= limit:
            yield (
                f"{gpu.device} ({gpu.name}): {human(buffers.total_bytes)} of {human(gpu.memory_free_bytes)} free, "
                f"{human(gpu.memory_free_bytes - limit)} kept in reserve for the driver's context and other programs."
            )


def _ram(node, budget, allocation):
    return (
        f"RAM: {human(allocation.host.total_bytes)} of {human(node.memory_available_bytes)} available, "
        f"{human(node.memory_available_bytes - budget.ram_bytes)} kept in reserve for the system."
    )


def _cache_ram(cache_ram_bytes):
    if not cache_ram_bytes:
        return "Prompt cache off: no RAM is left for it."
    return f"Prompt cache up to {human(cache_ram_bytes)} of RAM."
