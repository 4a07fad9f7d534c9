# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why the plan is as it is, in sentences with numbers; and what the user should know."""

from __future__ import annotations

from collections import Counter

from .._hardware.mig import parent_name
from .._memory.devices import HOST
from .._memory.host.checkpoints import PER_SLOT
from .._units import counted, human
from .objective import PARTIAL, SMALLEST
from .plan_parts import overhead_bytes


def reasons(chooser, choice, backend, llama_cpp, host, why_load_mode):
    """A list of sentences: placement, context, settings, memory, backend, build."""
    node, budget = chooser.node, chooser.budget
    allocation = choice.placement.allocation
    return [
        _placement(chooser, choice),
        _context(chooser, choice),
        *_settings(chooser, choice),
        *(_missing(shortfall) for shortfall in budget.shortfalls(allocation)),
        *_room(chooser, choice),
        *_ram(node, budget, allocation, host),
        _cache_ram(host.ram.cache_ram_bytes),
        *_checkpoints(host),
        *([why_load_mode] if why_load_mode else []),
        f"Backend {backend.name}: {backend.reason}.",
        *([f"No image: {backend.no_image}."] if backend.no_image else []),
        _build(llama_cpp),
    ]


def warnings(chooser, choice, backend, llama_cpp):
    """A list of sentences, empty where there is nothing to warn of."""
    model, node, settings = chooser.model, chooser.node, choice.placement.allocation.settings
    found = [f"{name}{f' ({count} of them)' if count > 1 else ''} is left out: {_why_left_out(backend, name)}." for name, count in _left_out(node)]
    found += [f"{name} is left out: it can't be used as it is now; the problems among the node's facts say why." for name in node.unusable_gpus]
    if settings.n_ctx_seq > model.n_ctx_train:
        found.append(f"The context of {settings.n_ctx_seq} tokens is longer than the {model.n_ctx_train} the model was trained with.")
    if choice.fits and not chooser.bounds.least_asked and choice.ctx_size <= SMALLEST < chooser.bounds.most:
        found.append(f"The context is only {choice.ctx_size} tokens.")
    if choice.fits and ("parallel", 1) in choice.settings:
        found.append("One slot only: requests wait for each other. Four, llama-server's own choice, don't fit.")
    if choice.fits and node.gpus and choice.placement.gpu_layers == 0:
        found.append("No layer fits on the GPUs: the CPU does the work.")
    for gpu, limit in zip(node.gpus, chooser.budget.device_bytes, strict=True):
        kept, needed = gpu.memory_free_bytes - limit, overhead_bytes(backend, gpu)
        if kept < needed:
            found.append(f"{gpu.device}: only {human(kept)} is left for what the driver takes outside the buffers, about {human(needed)}.")
    if chooser.wishes.devices and node.gpus and backend.kind.overhead != "cuda":
        found.append("The environment that limits a server to the chosen GPUs is only known for CUDA: limit it yourself.")
    if backend.name == "vulkan":
        found += _vulkan(node)
    if backend.image and llama_cpp["image_build"] and llama_cpp["image_build"] < llama_cpp["minimum_build"]:
        found.append(f"Build b{llama_cpp['image_build']} has holes that are known: b{llama_cpp['minimum_build']} is the least without.")
    return [*found, *backend.warnings]


def _left_out(node):
    """(name, how many) of GPUs that are not used."""
    return Counter(node.ignored_gpus).items()


def _why_left_out(backend, name):
    if parent_name(name) != name:
        return "a process gets one MIG instance with CUDA, and none with Vulkan"
    if backend.name == "vulkan":
        return "it shares the RAM, and the others have memory of their own"
    return f"{backend.name} does not drive it, or it shares the RAM and others don't; backend=vulkan drives GPUs of all vendors"


def _vulkan(node):
    yield (
        "Vulkan: the memory rules describe CUDA. Buffers of more than 1 GiB are cut as Vulkan cuts them, but what a driver leaves to the CPU is not known; "
        "more is kept in reserve. Compare what the server prints with the plan."
    )
    if len(node.gpus) > 1:
        yield "Vulkan numbers GPUs in an order of its own: see that llama-server --list-devices has them in the order of the plan."


def _build(llama_cpp):
    newest = llama_cpp["minimum_build_reasons"][0]
    return f"llama.cpp b{llama_cpp['minimum_build']} or newer: {newest['name']}, {newest['what']}."


def _placement(chooser, choice):
    model, node = chooser.model, chooser.node
    n_layers = model.n_layer_all + 1
    on_gpu = choice.placement.gpu_layers
    if not node.gpus:
        return f"All {n_layers} layers ({model.n_layer_all} blocks and the output) run on the CPU: there is no GPU to use."
    shares = ", ".join(f"{count} on {gpu.device}" for count, gpu in zip(choice.placement.layers_per_gpu, node.gpus, strict=True))
    why = "as told" if chooser.wishes.placement_is_fixed or chooser.wishes.gpu_layers is not None else "more don't fit"
    if on_gpu == n_layers:
        apart = _apart(chooser.has_experts, *chooser.estimate.work(choice.placement.allocation).apart)
        return f"All {n_layers} layers ({model.n_layer_all} blocks and the output) go to the GPU: {shares}{f', but {apart} in RAM: {why}' if apart else ''}."
    blocks = sum(1 for device in choice.placement.allocation.layout.blocks if device == HOST)
    apart = _apart(chooser.has_experts, *chooser.estimate.work(choice.placement.allocation).apart)
    also = f", and {apart.removesuffix(' stay')} of those on the GPU" if apart else ""
    return f"{on_gpu} of {n_layers} layers go to the GPU ({shares}), RAM keeps {counted(blocks, 'block')}{also}: {why}."


def _apart(has_experts, whole, part):
    """'the experts of 57 blocks and part of those of 1 more stay', empty for none."""
    what = "experts" if has_experts else "feed-forward parts"
    parts = ([f"the {what} of {counted(whole, 'block')}"] if whole else []) + (
        [f"part of those of {part} more" if whole else f"part of the {what} of {counted(part, 'block')}"] if part else []
    )
    return f"{' and '.join(parts)} stay" if parts else ""


def _context(chooser, choice):
    size, trained, asked = choice.ctx_size, chooser.model.n_ctx_train, chooser.bounds
    return {
        "asked": f"Context {size}: as asked.",
        "trained": f"Context {size}: all that the model was trained with.",
        "most": f"Context {size}: the most that was asked for.",
        "reduced": f"Context {size} of the {asked.most if asked.most != trained else f'{trained} the model was trained with'}: the most with this placement.",
        "partial": f"Context {size}: not everything fits on the GPU, so it is held at {PARTIAL} and more stays there; ask for more with ctx_size.",
        "raised": f"Context {size}: placed for {asked.partial}, and as much more as fits with nothing moved.",
        "smallest": f"Context {size}: not reduced below {SMALLEST} unless asked.",
    }[choice.why]


def _settings(chooser, choice):
    """Why the settings that are not those that come first."""
    settings = dict(choice.settings)
    allocation = choice.placement.allocation
    in_ram = human(chooser.estimate.work(allocation).host_bytes)
    if settings.get("ubatch_size") and allocation.settings.op_offload and chooser.estimate.work(allocation).host_bytes:
        batch = allocation.settings.n_ubatch
        often = f"{batch / 512:.0f} times less often than with 512"
        yield f"Batches of {batch} tokens: a prompt has the {in_ram} of weights in RAM sent to the GPU once for each, {often}."
    elif settings.get("ubatch_size"):
        yield f"Batches of {allocation.settings.n_ubatch} tokens: there is room, and prompts are what matters here."
    if settings.get("op_offload") is False:
        yield f"op_offload off: no weights pass through the GPU's compute buffer, which makes room; the CPU works on prompts with the {in_ram} in RAM."
    kind = settings.get("cache_type_k")
    if kind and kind != next(iter(chooser.cache_types()), None):
        yield f"KV cache {kind}: with {chooser.cache_types()[0]} less would be on the GPU, or it would not fit."
    elif kind:
        yield f"KV cache {kind}: the type asked for first."


def _missing(shortfall):
    return f"Does not fit: {shortfall.where} lacks {human(shortfall.missing_bytes)}."


def _room(chooser, choice):
    for gpu, limit, buffers in zip(chooser.node.gpus, chooser.budget.device_bytes, choice.placement.allocation.devices, strict=True):
        if buffers.total_bytes <= limit:
            kept = human(gpu.memory_free_bytes - limit)
            told = chooser.wishes.budget_bytes is not None
            why = f"{kept} left alone, as the budget says" if told else f"{kept} kept in reserve for the driver's context and other programs"
            yield f"{gpu.device} ({gpu.name}): {human(buffers.total_bytes)} of {human(gpu.memory_free_bytes)} free, {why}."


def _ram(node, budget, allocation, host):
    kept = max(node.memory_available_bytes - budget.ram_bytes - budget.ram_beside_bytes, 0)
    yield f"RAM: {human(allocation.host.total_bytes)} of {human(node.memory_available_bytes)} available, {human(kept)} kept in reserve for the system."
    yield _to_start_and_to_run(node, budget, allocation, host.ram)


def _to_start_and_to_run(node, budget, allocation, ram):
    said = f"{human(ram.min_bytes)} of RAM let the server start, with {human(ram.recommended_bytes)} it runs without paging."
    if ram.locked or ram.mapped_weights_bytes <= ram.min_bytes:
        return said
    if any(shortfall.where == "RAM" for shortfall in budget.shortfalls(allocation)) and ram.min_bytes <= node.memory_available_bytes:
        return f"{said} Here it would start, but read part of the {human(ram.mapped_weights_bytes)} of mapped weights from the disk for each token."
    return f"{said} The {human(ram.mapped_weights_bytes)} of mapped weights need not fit to start, but are read from the disk again and again where they don't."


def _cache_ram(cache_ram_bytes):
    if not cache_ram_bytes:
        return "Prompt cache off: no RAM is left for it."
    return f"Prompt cache up to {human(cache_ram_bytes)} of RAM."


def _checkpoints(host):
    ram = host.ram
    if not ram.checkpoint_bytes:
        return
    if not host.checkpoints:
        yield f"Context checkpoints off: no RAM is left for them, {human(ram.checkpoint_bytes)} each."
        return
    fewer = "" if host.checkpoints == PER_SLOT else f" (llama-server's own choice, {PER_SLOT}, does not fit)"
    yield f"Context checkpoints: up to {human(ram.checkpoints_bytes)} of RAM, {host.checkpoints} for each slot{fewer}, {human(ram.checkpoint_bytes)} each."
