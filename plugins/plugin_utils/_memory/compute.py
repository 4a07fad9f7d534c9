# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bytes of the compute buffers: a first rule, for models with plain attention or sliding windows.

ggml's allocator (ggml/src/ggml-alloc.c) reuses memory as a graph runs, so a buffer is as large as the moment at which
most is alive. The rule names those moments and takes the largest. It was checked against what llama.cpp reports
(tests/truth): equal for the common dense models, otherwise above rather than below.

Symbols: ub = n_ubatch, E = n_embd, C = cells of a stream; activations are F32.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .cache import attention as plain_attention
from .cache import none, sliding_window
from .cache.attention import head_lengths, kv_heads
from .cache.families import kind, mask_cells
from .devices import HOST
from .settings import is_quantized
from .weights import EXPERTS

MODELLED = {none, plain_attention, sliding_window}
"""Kinds of cache whose models the rule below describes."""

COPIES = 4
"""Copies of the inputs for pipeline parallelism (ggml-backend.cpp: GGML_SCHED_MAX_COPIES)."""

TWO_TENSORS_STAGED = frozenset({"llama4"})
"""Architectures whose expert tensors pass through a GPU two at a time (seen in tests/truth)."""

OFFLOAD_MIN_BATCH = 32
"""Smallest batch for which weights on the host are sent to a GPU (ggml-cuda.cu: offload_op)."""


@dataclass(frozen=True)
class _Graph:
    """Sizes that the moments below are made of, in bytes."""

    row: int
    """One activation of the width of the model for a whole micro-batch: 4 * ub * E."""
    mask: int
    attention: int
    activations: int
    """The largest moment inside a block, without the mask."""
    scores: int
    logits: int


def compute(model, settings, devices, layout, placed, cache):
    """Bytes of compute buffers per device and, last, on the host.

    C(placed): what weights.placed_tensors() yields; C(cache): bytes of cache for each block.
    Raises InfraError for an architecture that the rule does not describe.
    """
    _refuse_what_the_rule_does_not_describe(model)
    graph = _graph(model, settings)
    if not devices:
        return [_within_blocks(graph) + graph.row]
    host_tensor = max((group.size_bytes for device, _size, group, block in placed if device == HOST and block is not None), default=0)
    if model.architecture in TWO_TENSORS_STAGED:
        host_tensor *= 2
    pipelined = _pipelined(model, settings, devices)
    staged = _staged(model, settings, layout, graph, host_tensor, cache)
    used = set(layout.blocks) | {layout.output}
    total = []
    for number in range(len(devices)):
        if number in used or (number == 0 and staged):
            size = _on_device(graph, number, pipelined) if number in layout.blocks else graph.logits
            total.append(max(size, staged) if number == 0 else size)
        else:
            total.append(0)
    total.append(_on_host(model, settings, layout, graph, pipelined, host_tensor))
    return total


def _refuse_what_the_rule_does_not_describe(model):
    if not set(kind(model)) <= MODELLED:
        raise InfraError(
            f"the compute buffers of architecture '{model.architecture}' are not modelled yet",
            where=model.name or "model",
            expected="an architecture with plain attention or sliding windows, such as llama, qwen3, qwen3moe, gemma3 or gpt-oss",
            fix="No figure is given rather than a guess",
        )


def _graph(model, settings):
    ub = settings.n_ubatch
    row = 4 * ub * model.n_embd
    k_length, v_length = head_lengths(model)
    heads = max(model.per_layer("attention.head_count"))
    kv_width = max(kv_heads(model)) * (k_length + v_length)
    cells = settings.n_ctx_seq
    mask = mask_cells(model, settings) * ub * (2 if settings.flash_attn else 4)
    attention = 2 * row + 4 * ub * (heads * (k_length + v_length) + kv_width)
    if not settings.flash_attn:
        scores = 4 * heads * ub * cells + attention
    elif is_quantized(settings.cache_type_k) or is_quantized(settings.cache_type_v):
        # CUDA's kernels need the K and V of a whole block as F16 (ggml-cuda/fattn.cu: get_alloc_size)
        scores = 2 * cells * settings.n_stream * kv_width + attention - 4 * ub * kv_width
    else:
        scores = 0
    return _Graph(
        row=row,
        mask=mask,
        attention=attention,
        activations=max(_feed_forward(model, ub), attention),
        scores=scores,
        logits=4 * model.n_vocab * min(ub, settings.n_outputs) + row,
    )


def _feed_forward(model, ub):
    """Gate, up and their product at the width of the feed-forward layer, beside three rows."""
    width = 3 * max(model.per_layer("feed_forward_length", 0), default=0)
    for group in model.tensors:
        if EXPERTS.search(group.name) and ".ffn_up" in group.name and len(group.shape) > 1:
            width = max(width, model.n_expert_used * (3 * group.shape[1] + model.n_embd) + model.n_embd)
    return 4 * ub * (width + 3 * model.n_embd)


def _within_blocks(graph):
    return max(graph.activations + graph.mask, graph.scores + graph.mask, graph.logits)


def _on_device(graph, number, pipelined):
    if not pipelined:
        return _within_blocks(graph)
    inputs = COPIES * (graph.mask + (graph.row if number == 0 else 2 * graph.row))
    return max(graph.activations + inputs, graph.scores + inputs, graph.logits)


def _staged(model, settings, layout, graph, host_tensor, cache):
    """The first GPU's buffer where it works for blocks on the host: their weights and cache pass through it."""
    if not settings.op_offload or settings.n_ubatch < OFFLOAD_MIN_BATCH:
        return 0
    sizes = []
    if host_tensor:
        sizes.append(_within_blocks(graph) + host_tensor + 2 * graph.row)
    if not settings.kv_offload:
        sizes.append(_within_blocks(graph) + max(cache))
    on_host = [size for size, device in zip(cache, layout.blocks[: model.n_layer]) if device == HOST]
    if on_host:
        # K and V of a block, and the K of the next one while V is still read
        sizes.append(graph.attention + graph.mask + max(on_host) + (max(on_host) // 2 if len(on_host) > 1 else 0))
    return max(sizes, default=0)


def _pipelined(model, settings, devices):
    """llama-context.cpp: every layer on GPUs that support events, nothing overridden."""
    return (
        len(devices) > 1
        and settings.split_mode == "layer"
        and settings.n_gpu_layers > model.n_layer_all
        and settings.kv_offload
        and not (settings.override_tensor or settings.cpu_moe or settings.n_cpu_moe)
        and all(device.events for device in devices)
    )


def _on_host(model, settings, layout, graph, pipelined, host_tensor):
    """Inputs, the mask among them; whole blocks where the host computes them itself."""
    if pipelined:
        return COPIES * (graph.mask + graph.row) + graph.row
    inputs = graph.mask + 2 * graph.row
    if not settings.flash_attn:
        _k_length, v_length = head_lengths(model)
        inputs += 8 * settings.n_ubatch * max(kv_heads(model)) * v_length
    if host_tensor and not (settings.op_offload and settings.n_ubatch >= OFFLOAD_MIN_BATCH):
        return max(inputs, _within_blocks(graph) + graph.row)
    return inputs
