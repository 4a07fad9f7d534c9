# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MiniMax: sparse attention by blocks of tokens (MSA) in minimax-m3, lightning attention in minimax-01.

Source: src/models/minimax-m3.cpp, minimax-01.cpp.
"""

from __future__ import annotations

from ...cache import hybrid
from .. import flash_attention, ggml
from ..ggml import cast, concat, cont, get_rows, mul_mat, permute, repeat, reshape, same, transpose, view
from ..recurrent_state import load_state, state_leaf, store_state
from . import transformer
from .traits import Traits

POSITIONS = 256
"""Positions that the graph is reserved for while the cache is empty (src/llama-kv-cache-msa.cpp: get_n_pos)."""

TRAITS = Traits(gating=None, norm_weights=None)


def build_m3(b):
    """The whole graph of minimax-m3. Without flash attention, or with slots on one cache, its attention is plain."""
    dense = b.model.integer("leading_dense_block_count", 0)
    enabled = b.settings.flash_attn and (b.settings.n_seq_max == 1 or not b.settings.kv_unified)
    shared = sparse_inputs(b) if enabled else None
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        q, k, v = b.qkv(x, block)
        q = b.rope(b.norm(q, "attn_q_norm", block) if b.has("attn_q_norm.weight", block) else q, block)
        k = b.rope(b.norm(k, "attn_k_norm", block) if b.has("attn_k_norm.weight", block) else k, block)
        x = sparse_attention(b, x, q, k, v, shared, block) if enabled and block >= dense else b.attention(q, k, v, block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", x, before)
        x = transformer.network(b, b.norm(between, "ffn_norm", block), block, TRAITS)
        x = same("add", x, between)
    return b.logits(x)


def sparse_inputs(b):
    """(blocks of positions, positions, the mask as F32)."""
    size = b.model.integer("attention.indexer.block_size")
    positions = POSITIONS + -POSITIONS % size
    n_kv = b.settings.n_ctx_seq
    return size, positions // size, positions, cast(b.mask(n_kv), "f32")


def sparse_attention(b, x, q, k, v, shared, block):
    size, blocks, positions, mask = shared
    model, graph, settings, streams = b.model, b.graph, b.settings, b.settings.n_stream
    heads, length = model.integer("attention.indexer.head_count"), model.integer("attention.indexer.key_length")
    index_q = reshape(b.matrix("indexer.q_proj", x, block), length, heads, b.n_tokens)
    index_k = reshape(b.matrix("indexer.k_proj", x, block), length, 1, b.n_tokens)
    index_q, index_k = b.rope(b.norm(index_q, "indexer.q_norm", block), block), b.rope(b.norm(index_k, "indexer.k_norm", block), block)
    index, n_kv = b.index_cache(block, length)
    graph.expand(b.store_k(index_k, index, "_index"))
    v_rotation = b.rotation("v", b.v_length, settings.cache_type_v)
    k_rotation = b.rotation("k", b.k_length, settings.cache_type_k)
    q, k, v = b.rotated(q, k_rotation), b.rotated(k, k_rotation), b.rotated(v, v_rotation)
    for part in (q, k, v):
        graph.expand(part)
    k_cache, v_cache, _n_kv = b.kv(block)
    graph.expand(b.store_k(k, k_cache))
    graph.expand(b.store_v(v, v_cache, ""))
    tokens = b.n_tokens // streams
    found = []
    for _stream in range(streams):
        opened = opened_blocks(b, index_q, index, mask, (size, blocks, positions, heads, length, n_kv, tokens))
        keys = permute(view(k_cache, b.k_length, b.kv_heads[block], n_kv), 0, 3, 1, 2)
        values = permute(view(v_cache, b.v_length, b.kv_heads[block], n_kv), 0, 3, 1, 2)
        part = view(q, b.k_length, b.heads[block], tokens)
        found.append(attend(b, part, keys, values, opened, b.heads[block] // b.kv_heads[block]))
    y = found[0]
    for part in found[1:]:
        y = concat(y, part, 1)
    return b.matrix("attn_output", b.rotated(y, v_rotation), block, bias=False)


def opened_blocks(b, index_q, index, mask, sizes):
    """The mask of a stream: closed but for the blocks of positions with the highest scores."""
    _size, blocks, positions, heads, length, n_kv, tokens = sizes
    streams = b.settings.n_stream
    slots = view(b.given("msa_slots", "i32", positions, streams), positions, packed=True)
    at = view(b.given("msa_positions", "f32", positions, b.n_tokens), positions, 1, tokens, packed=True)
    of_cell = view(b.given("msa_cells", "i32", n_kv, streams), n_kv, packed=True)
    bias = view(b.given("msa_bias", "f32", blocks, b.n_tokens), blocks, 1, tokens, packed=True)
    keys = get_rows(view(index, length, n_kv), slots)
    scores = reshape(mul_mat(keys, reshape(view(index_q, length, heads, tokens), length, heads * tokens)), positions, heads, tokens)
    scores = ggml.in_place("add", scores, at)
    best = same("add", ggml.result("pool", (blocks, heads, tokens), scores), bias)
    chosen = ggml.top_k(best, min(b.model.integer("attention.indexer.top_k"), blocks))
    closed = repeat(cast(same("scale", bias), "f16"), blocks, heads, tokens)
    open_ = same("scale", cast(chosen, "f32"))
    count = chosen.shape[0]
    opened = ggml.set_rows(reshape(closed, 1, blocks, heads * tokens), reshape(open_, 1, count, heads * tokens), reshape(chosen, count, heads * tokens))
    opened = cont(permute(reshape(opened, blocks, heads, tokens), 0, 2, 1, 3))
    opened = cont(transpose(reshape(opened, blocks, tokens * heads)))
    cells = reshape(cont(transpose(get_rows(opened, of_cell))), n_kv, tokens, heads)
    cells = ggml.in_place("add", cells, view(mask, n_kv, tokens))
    return cast(reshape(cells, n_kv, tokens, 1, heads), "f16")


def attend(b, q, k, v, mask, group):
    count = k.shape[3]
    rows = q.shape[1] * q.shape[2] // (group * count)
    grouped = permute(reshape(q, q.shape[0], group, count, rows), 0, 2, 3, 1)
    x = ggml.result("flash_attn", (v.shape[0], grouped.shape[2], grouped.shape[1], grouped.shape[3]), grouped, k, v, mask)
    x.scratch_bytes = flash_attention.scratch_bytes(x, b.settings.cache_type_k, b.settings.cache_type_v)
    x = cont(permute(x, 0, 1, 3, 2)) if rows > 1 else permute(x, 0, 1, 3, 2)
    return reshape(x, q.shape[0] * q.shape[1], q.shape[2])


def build_01(b):
    """The whole graph of minimax-01: seven blocks in eight keep a state."""
    recurrent = hybrid.recurrent_blocks(b.model)
    x = b.embeddings()
    for block in b.blocks:
        x = b.norm(x, "attn_norm", block)
        residual = x
        if recurrent[block]:
            x = lightning_attention(b, x, block)
        else:
            q, k, v = b.qkv(x, block)
            x = b.attention(b.rope(q, block), b.rope(k, block), v, block)
        if block == b.last_block:
            x, residual = b.outputs_only(x), b.outputs_only(residual)
        between = b.norm(same("add", x, same("scale", residual)), "ffn_norm", block)
        x = transformer.routed(b, between, block, Traits())
        x = same("add", x, same("scale", between))
    return b.logits(x)


def lightning_attention(b, x, block):
    length, heads, seqs = b.k_length, max(b.heads), b.n_seqs
    tokens = b.n_tokens // seqs
    slopes = b.given("slopes", "f32", heads)
    if recurrent_width := b.model.integer("ssm.inner_size", 0):
        kernel = b.model.integer("ssm.conv_kernel", 0)
        width = (kernel - 1) * (recurrent_width + 2 * b.model.integer("ssm.group_count", 0) * b.model.integer("ssm.state_size", 0))
        load_state(b, state_leaf(b, block, "convolution", width), width)
    slope = same("scale", slopes)
    whole = same("unary", b.matrix("attn_qkv", reshape(x, x.shape[0], tokens, 1, seqs), block))
    whole = reshape(whole, 3 * length, heads, tokens, seqs)
    q, k, v = (view(whole, length, heads, tokens, seqs) for _part in range(3))
    width = length * length * heads
    leaf = state_leaf(b, block, "state", width)
    old = reshape(load_state(b, leaf, width), length, length, heads, seqs)
    q_decay = same("unary", same("scale", b.given("q_decay", "f32", 1, heads, tokens, seqs)))
    k_decay = same("unary", same("scale", b.given("k_decay", "f32", 1, heads, tokens, seqs)))
    among = same("unary", same("scale", b.given("diagonal_decay", "f32", tokens, tokens, heads, seqs)))
    earlier = mul_mat(old, permute(same("mul", q, q_decay), 0, 2, 1, 3))
    scores = same("mul", mul_mat(permute(k, 0, 2, 1, 3), permute(q, 0, 2, 1, 3)), among)
    v_columns = cont(permute(v, 1, 2, 0, 3))
    y = b.graph.expand(same("add", earlier, mul_mat(v_columns, scores)))
    decayed = same("mul", old, reshape(same("unary", same("scale", slope)), 1, 1, heads))
    added = mul_mat(cont(permute(same("mul", k, k_decay), 1, 2, 0, 3)), v_columns)
    store_state(b, leaf, same("add", decayed, added), width)
    y = cont(permute(y, 0, 2, 1, 3))
    y = b.norm(reshape(y, length * heads, tokens, 1, seqs), "attn_norm_2", block)
    gate = same("unary", b.matrix("attn_gate", reshape(x, x.shape[0], tokens, 1, seqs), block))
    y = b.matrix("attn_output", same("mul", gate, y), block)
    return reshape(y, y.shape[0], b.n_tokens)
