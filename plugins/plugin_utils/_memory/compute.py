# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bytes of the compute buffers: a first rule, for models with plain attention or sliding windows.

ggml's allocator (ggml/src/ggml-alloc.c) reuses memory as a graph runs, so a buffer is as large as the moment at which
most is alive. The rule names those moments and takes the largest. It was checked against what llama.cpp reports
(tests/truth): equal for the common dense models, otherwise above rather than below.

Symbols: ub = n_ubatch, E = n_embd, C = cells of a stream; activations are F32. A row is 4 * ub * E bytes.
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
"""Kinds of cache whose models the rule describes."""

NOT_DESCRIBED = frozenset({"hrm_text"})
"""Architectures with plain attention whose graph is another: it runs its blocks several times."""

MORE_ROWS = {"gemma2": 1, "glm4moe": 1, "gpt-oss": 3, "hy_v3": 12, "llama4": 1}
"""Rows alive beyond those of the moments below (measured: tests/truth)."""

ROWS_BESIDE_STAGED_WEIGHTS = {"llama4": 9}
"""Rows alive beside a tensor that passes through a GPU; two where an architecture isn't named (measured: tests/truth)."""

TWO_TENSORS_STAGED = frozenset({"llama4"})
"""Architectures whose experts pass through a GPU two tensors at a time when they are apart from their block (measured: tests/truth)."""

CACHE_STAGED_AHEAD = frozenset({"baichuan", "gemma2", "llama4", "talkie"})
"""Architectures that stage half a cache more than their blocks explain (measured: tests/truth)."""

COPIES = 4
"""Copies of the inputs for pipeline parallelism (ggml-backend.cpp: GGML_SCHED_MAX_COPIES)."""

OFFLOAD_MIN_BATCH = 32
"""Smallest batch for which weights on the host are sent to a GPU (ggml-cuda.cu: offload_op)."""


@dataclass(frozen=True)
class _Moments:
    """Bytes alive, without the inputs, at the moments that may be the largest; and the sizes of the inputs."""

    row: int
    qkv: int
    """Q, K and V in one tensor, where a model has them so."""
    attention: int
    feed_forward: int
    scores: int
    """Attention without flash attention (the scores), or with a quantized cache (its copy); 0 otherwise."""
    logits: int
    mask: int
    v_index: int
    """Without flash attention, the places in the transposed V: an input for each cache."""

    def in_blocks(self, inputs):
        """The largest moment with C(inputs) alive; they are gone when the logits are made."""
        return max(max(self.attention, self.feed_forward, self.scores) + inputs, self.logits)


def compute(model, settings, devices, layout, placed, cache):
    """Bytes of compute buffers per device and, last, on the host.

    C(placed): what weights.placed_tensors() yields; C(cache): bytes of cache for each block.
    Raises InfraError for an architecture that the rule does not describe.
    """
    _refuse_what_the_rule_does_not_describe(model)
    everything = _moments(model, settings, range(model.n_layer))
    if not devices:
        return [everything.in_blocks(everything.mask) + everything.row]
    host = _Host(model, settings, layout, placed)
    pipelined = _pipelined(model, settings, devices)
    total = []
    for number in range(len(devices)):
        blocks = [block for block, device in enumerate(layout.blocks[: model.n_layer]) if device == number]
        moments = _moments(model, settings, blocks)
        size = _on_device(moments, number, blocks, layout, host, pipelined)
        if blocks and not settings.kv_offload:
            size = max(size, _staged_cache(model, moments, host, [cache[block] for block in blocks]))
        total.append(max(size, _staged(model, settings, everything, host, cache)) if number == 0 else size)
    total.append(_on_host(model, settings, everything, host, pipelined))
    return total


class _Host:
    """What is left on the host: its blocks, its largest tensor, and whether a GPU works for it.

    C(serves_other_devices): the first GPU works on experts of blocks that other GPUs hold.
    """

    def __init__(self, model, settings, layout, placed):
        self.blocks = [block for block, device in enumerate(layout.blocks[: model.n_layer]) if device == HOST]
        self.largest_tensor_bytes = 0
        apart = set()
        for device, _size, group, block in placed:
            if device == HOST and block is not None:
                self.largest_tensor_bytes = max(self.largest_tensor_bytes, group.size_bytes)
                apart.add(layout.blocks[block])
        apart.discard(HOST)
        if apart and model.architecture in TWO_TENSORS_STAGED:
            self.largest_tensor_bytes *= 2
        self.serves_other_devices = bool(apart - {0})
        self.offloads = settings.op_offload and settings.n_ubatch >= OFFLOAD_MIN_BATCH


def _refuse_what_the_rule_does_not_describe(model):
    if not set(kind(model)) <= MODELLED or model.architecture in NOT_DESCRIBED:
        raise InfraError(
            f"the compute buffers of architecture '{model.architecture}' are not modelled yet",
            where=model.name or "model",
            expected="an architecture with plain attention or sliding windows, such as llama, qwen3, qwen3moe, gemma3 or gpt-oss",
            fix="No figure is given rather than a guess",
        )


def _moments(model, settings, blocks):
    """The _Moments of a device that holds C(blocks)."""
    ub = settings.n_ubatch
    row = 4 * ub * model.n_embd
    more = MORE_ROWS.get(model.architecture, 0) * row
    k_length, v_length = head_lengths(model)
    heads = max(model.per_layer("attention.head_count"))
    kv_heads_most = max(kv_heads(model))
    kv_width = kv_heads_most * (k_length + v_length)
    kv = 4 * ub * kv_width
    qkv = 4 * ub * heads * k_length + kv if "blk.*.attn_qkv.weight" in model.names else 0
    attention = 2 * row + 4 * ub * heads * (k_length + v_length) + kv + more
    windows = kind(model) == (sliding_window,)
    v_index = 0 if settings.flash_attn else 8 * ub * kv_heads_most * v_length * (2 if windows else 1)
    return _Moments(
        row=row,
        qkv=qkv,
        attention=attention,
        feed_forward=_feed_forward(model, ub) + more,
        scores=_scores(model, settings, heads, kv_width, attention + (v_index if windows else 0), attention - kv + qkv),
        logits=4 * model.n_vocab * min(ub, settings.n_outputs) + 2 * row + more,
        mask=mask_cells(model, settings, blocks) * ub * (2 if settings.flash_attn else 4),
        v_index=v_index,
    )


def _scores(model, settings, heads, kv_width, beside_scores, beside_copy):
    cells = settings.n_ubatch if kind(model) == (none,) else settings.n_ctx_seq
    if not settings.flash_attn:
        return 4 * heads * settings.n_ubatch * cells + beside_scores
    if kind(model) != (none,) and (is_quantized(settings.cache_type_k) or is_quantized(settings.cache_type_v)):
        # CUDA's kernels need the K and V of a whole block as F16 (ggml-cuda/fattn.cu: get_alloc_size)
        return 2 * cells * settings.n_stream * kv_width + beside_copy
    return 0


def _feed_forward(model, ub):
    """Gate, up and their product beside three rows; of experts those used, and then their outputs."""
    rows = 3 * model.n_embd
    width = rows
    for group in model.tensors:
        if ".ffn_up" not in group.name or len(group.shape) < 2:
            continue
        if not EXPERTS.search(group.name):
            # gate and up may be one tensor, so that its shape is twice the width
            inside = group.shape[1] if "shexp" in group.name else max(model.per_layer("feed_forward_length", 0))
            width = max(width, 3 * inside + rows)
        else:
            inside, outputs = model.n_expert_used * group.shape[1], model.n_expert_used * model.n_embd
            width = max(width, 3 * inside + rows, inside + 2 * outputs + 2 * model.n_embd)
    return 4 * ub * width


def _on_device(moments, number, blocks, layout, host, pipelined):
    """The buffer of a device for its own layers."""
    if not blocks:
        return moments.logits + 2 * moments.row if layout.output == number else 0
    inputs = moments.mask
    if pipelined:
        inputs = COPIES * (moments.mask + moments.v_index + (moments.row if number == 0 else 2 * moments.row))
    elif host.largest_tensor_bytes and not host.offloads:
        inputs += 2 * moments.row
    return moments.in_blocks(inputs)


def _staged(model, settings, moments, host, cache):
    """The first GPU's buffer where it works for blocks on the host: their weights and cache pass through it."""
    if not host.offloads:
        return 0
    working = moments.in_blocks(moments.mask)
    sizes = [0]
    if host.largest_tensor_bytes:
        rows = ROWS_BESIDE_STAGED_WEIGHTS.get(model.architecture, 2)
        elsewhere = moments.feed_forward + 4 * moments.row if host.serves_other_devices else 0
        sizes.append(working + host.largest_tensor_bytes + rows * moments.row + elsewhere)
    if not settings.kv_offload:
        sizes.append(_staged_cache(model, moments, host, cache))
    if settings.flash_attn:
        working = max(moments.attention, moments.scores + moments.row) + moments.mask + 2 * moments.qkv
    for block, following in zip(host.blocks, [*host.blocks[1:], None]):
        sizes.append(working + cache[block] + _staged_ahead(model, moments, cache, block, following))
    return max(sizes)


def _staged_cache(model, moments, host, cache):
    """A device's buffer where the cache of its blocks, C(cache), is kept on the host and passes through it."""
    if not host.offloads:
        return 0
    ahead = max(cache) // 2 if model.architecture in CACHE_STAGED_AHEAD else 0
    return moments.in_blocks(moments.mask) + max(cache) + ahead


def _staged_ahead(model, moments, cache, block, following):
    """The K of the next block, which is fetched while the V of C(block) is still read."""
    if model.architecture in CACHE_STAGED_AHEAD:
        return max(cache) // 2
    if following is not None:
        return cache[following] // 2
    return cache[block] // 2 if moments.qkv else 0


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


def _on_host(model, settings, moments, host, pipelined):
    """Inputs, the mask among them; whole blocks where the host computes them itself."""
    if pipelined:
        return COPIES * (moments.mask + moments.v_index + moments.row) + moments.row
    inputs = moments.mask + moments.v_index + 2 * moments.row
    if "position_embd.weight" in model.names:
        inputs += moments.row
    if host.blocks or not settings.kv_offload:
        # Q, K and V in one tensor are taken apart where the block is
        inputs += moments.qkv
    if host.largest_tensor_bytes and not host.offloads:
        return max(inputs, moments.in_blocks(moments.mask) + moments.row)
    return inputs
