# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Qwen 4: gated delta nets, attention on cells that an indexer of blocks chooses, hyper-connections, rows looked up for n-grams.

Source: src/models/qwen4exp.cpp.
"""

from __future__ import annotations

from ...cache import hybrid
from .. import ggml
from .. import hyper_connections as hc
from ..delta_net import delta_net
from ..ggml import cast, concat, cont, get_rows, mul_mat, permute, repeat, reshape, same, sum_rows, transpose, view
from ..recurrent_state import load_state, state_leaf, store_part
from . import transformer
from .gated_delta_net import decay_and_beta, widened
from .traits import LLAMA

ADDED = 3
"""Of many parts that are added up, so many stand for all: from then on each is added in place."""


def build(b):
    """The whole graph of b, a Build."""
    model = b.model
    recurrent = hybrid.recurrent_blocks(model)
    looked_up = model.hyperparameters.get("ple.layers") or []
    x = b.graph.expand(b.embeddings())
    rows = ngram_rows(b) if looked_up else None
    x = hc.spread(b, x, model.integer("hyper_connection.count"))
    loaded = {}
    for block in b.blocks:
        if block in looked_up:
            x = with_ngrams(b, rows, x, loaded, block)
        y, inject = mixture(b, x, "hc_attn", block)
        b.graph.expand(y)
        y = linear_attention(b, y, loaded, block) if recurrent[block] else attention(b, y, block)
        if block == b.last_block:
            y, inject = b.outputs_only(y), b.outputs_only(inject)
            x = hc.narrow(b, x)
        x = combine(b, x, y, inject, block)
        y, inject = mixture(b, x, "hc_ffn", block)
        x = b.pinned(combine(b, x, transformer.network(b, y, block, LLAMA), inject, block), block)
    x, _inject = mixture(b, x, "output_hc", None)
    x.output = True
    return b.project(x)


def mixture(b, x, name, block):
    """(one row of several, what tells how the result is written back)."""
    count, tokens = x.shape[1], x.shape[2]
    normed = reshape(same("mul", same("rms_norm", x), b.weight(f"{name}_norm.weight", block)), count * b.n_embd, tokens)
    low = same("unary", same("scale", b.matrix(f"{name}_down", normed, block)))
    gate = b.matrix(f"{name}_up", low, block)
    if block is not None and b.fused("hc_pre", hc.PROBE_TOKENS):
        y = ggml.result("hc_pre", (b.n_embd, tokens), reshape(normed, b.n_embd, count, tokens), reshape(gate, b.n_embd, count, tokens))
        b.note_fused("hc_pre", y, block)
    else:
        gated = reshape(same("mul", normed, same("unary", gate)), b.n_embd, count, tokens)
        y = cont(view(gated, b.n_embd, tokens))
        for _row in range(1, count):
            y = same("add", y, view(gated, b.n_embd, tokens))
        y = same("scale", y)
    return y, b.matrix(f"{name}_inject", normed, block) if b.has(f"{name}_inject.weight", block) else None


def combine(b, residual, x, inject, block):
    count, tokens = residual.shape[1], residual.shape[2]
    weights = same("scale", same("unary", same("scale", inject)))
    if b.fused("hc_post", hc.PROBE_TOKENS):
        return hc.after(b, x, residual, (weights, None), block)
    wide = repeat(reshape(x, b.n_embd, 1, tokens), b.n_embd, count, tokens)
    return same("add", residual, same("mul", wide, reshape(weights, 1, count, tokens)))


def linear_attention(b, x, loaded, block):
    model, seqs = b.model, b.n_seqs
    tokens = b.n_tokens // seqs
    length, heads_k, heads = model.integer("ssm.state_size"), model.integer("ssm.group_count"), model.integer("ssm.time_step_rank")
    mixed = b.matrix("attn_qkv", x, block)
    mixed = reshape(mixed, mixed.shape[0], tokens, seqs)
    z = b.matrix("attn_gate", x, block)
    gate, beta = decay_and_beta(b, x, block, heads_k, heads, tokens)
    kernel = b.weight("ssm_conv1d.weight", block)
    whole = convolved(b, mixed, kernel.shape[0] - 1, kernel.shape[1], "convolution", loaded, block)
    width = length * length * heads
    leaf = state_leaf(b, block, "state", width)
    state = reshape(load_state(b, leaf, width), length, length, heads, seqs)
    mixed = same("unary", b.convolution(whole, kernel))
    q, k, v = view(mixed, length, heads_k, tokens, seqs), view(mixed, length, heads_k, tokens, seqs), view(mixed, length, heads, tokens, seqs)
    q, k = same("scale", same("rms_norm", q)), same("scale", same("rms_norm", k))
    if heads_k != heads:
        q, k = widened(b, q, heads), widened(b, k, heads)
    y = delta_net(b, q, k, v, gate, beta, state, leaf, block)
    y = same("mul", b.norm(y, "ssm_norm", block), same("unary", reshape(z, length, heads, tokens, seqs)))
    y = b.matrix("ssm_out", reshape(y, length * heads, tokens, seqs), block)
    return reshape(y, b.n_embd, b.n_tokens)


def convolved(b, x, columns, channels, kind, loaded, block):
    """C(x) behind its last inputs; those are stored anew."""
    width = columns * channels
    leaf = state_leaf(b, block, kind, width)
    if (kind, block) not in loaded:
        loaded[kind, block] = load_state(b, leaf, width)
    whole = concat(reshape(loaded[kind, block], columns, channels, b.n_seqs), transpose(x), 0)
    store_part(b, leaf, cont(view(whole, columns, channels, b.n_seqs)), width, b.n_seqs)
    return whole


def attention(b, x, block):
    """Q brings a gate for the result; an indexer may choose the cells."""
    length, heads, tokens = b.k_length, b.heads[block], b.n_tokens
    ratios = b.model.hyperparameters.get("attention.compress_ratios")
    ratio = (ratios[block] if isinstance(ratios, list) else ratios or 0) if b.model.integer("attention.indexer.key_length", 0) else 0
    chosen = choose(b, x, ratio, block) if ratio else None
    both = b.matrix("attn_q", x, block)
    q = b.norm(view(both, length, heads, tokens), "attn_q_norm", block)
    k, v = b.matrix("attn_k", x, block), b.matrix("attn_v", x, block)
    k = b.norm(reshape(k, length, b.kv_heads[block], tokens), "attn_k_norm", block)
    gate = cont(view(both, length, heads, tokens), length * heads, tokens)
    v = reshape(v, length, b.kv_heads[block], tokens)
    y = b.attention(b.rope(q, each=4), b.rope(k, each=4), v, block, out=None, mask=chosen and (lambda mask: opened(b, mask, chosen)))
    return b.matrix("attn_output", same("mul", y, same("unary", gate)), block, bias=False)


def opened(b, mask, chosen):
    """The mask C(mask), closed but for the cells C(chosen)."""
    n_kv, tokens, _one, streams = mask.shape
    closed = view(same("fill", mask), 1, n_kv, tokens, streams)
    count = chosen.shape[0]
    open_ = same("fill", ggml.constant(1, count, tokens, streams))
    found = ggml.set_rows(closed, open_, view(chosen, count, tokens, streams))
    return same("add", view(found, n_kv, tokens, 1, streams), mask)


def choose(b, x, ratio, block):
    """The cells of the blocks with the highest scores, for each token."""
    model, streams = b.model, b.settings.n_stream
    heads, length = model.integer("attention.indexer.head_count"), model.integer("attention.indexer.key_length")
    tokens = b.n_tokens // streams
    k = reshape(b.matrix("indexer.k_proj", x, block), length, 1, b.n_tokens)
    cache, n_kv = b.index_cache(block, length)
    b.graph.expand(b.store_k(k, cache, f"_index{ratio}"))
    blocks = (n_kv + ratio - 1) // ratio
    members = get_rows(view(cache, length, n_kv, streams), b.given(f"block_cells{ratio}", "i32", ratio * blocks, streams))
    members = reshape(members, length, ratio, blocks, streams)
    pooled = None
    for _member in range(min(ratio, ADDED)):
        part = cont(view(members, length, blocks, streams))
        pooled = part if pooled is None else same("add", pooled, part)
    pooled = b.norm(reshape(same("scale", pooled), length, blocks * streams, 1), "indexer.k_norm", block)
    pooled = same("rope", reshape(pooled, length, 1, blocks * streams), b.given(f"block_positions{ratio}", "i32", 4 * blocks * streams))
    q = b.norm(reshape(b.matrix("indexer.q_proj", x, block), length, heads, b.n_tokens), "indexer.q_norm", block)
    q = b.rope(q, each=4)
    scores = mul_mat(reshape(pooled, length, blocks, streams), reshape(q, length, heads * tokens, streams))
    scores = same("unary", reshape(scores, blocks, heads, tokens, streams))
    total = None
    for _head in range(min(heads, ADDED)):
        part = view(scores, blocks, tokens, streams)
        total = cont(part) if total is None else same("add", total, part)
    total = same("add", total, b.given(f"block_bias{ratio}", "f32", blocks, tokens, streams))
    wide = get_rows(cont(permute(total, 1, 0, 2, 3)), b.given(f"cell_blocks{ratio}", "i32", n_kv, streams))
    wide = cont(permute(wide, 1, 0, 2, 3))
    mask = b.mask(n_kv)
    mask = mask if mask.type == "f32" else cast(mask, "f32")
    wide = same("add", wide, reshape(mask, n_kv, tokens, streams))
    width = min(n_kv, model.integer("attention.indexer.top_k") + ratio - 1)
    return reshape(cont(ggml.top_k(wide, width)), width, tokens, 1, streams)


def ngram_rows(b):
    model = b.model
    heads = (model.integer("ple.ngram_size") - 1) * model.integer("ple.heads_per_ngram")
    rows = get_rows(b.weight("per_layer_token_embd.weight"), b.given("ngrams", "i32", heads * b.n_tokens))
    return b.graph.expand(reshape(rows, rows.shape[0] * heads, b.n_tokens))


def with_ngrams(b, rows, hidden, loaded, block):
    model, seqs = b.model, b.n_seqs
    count, tokens = hidden.shape[1], b.n_tokens
    width = count * b.n_embd
    key, value = b.matrix("ple_key", rows, block), b.matrix("ple_value", rows, block)

    def normed(x, name):
        return same("mul", same("rms_norm", reshape(x, b.n_embd, count, tokens)), b.weight(f"{name}.weight", block))

    scores = same("scale", sum_rows(same("mul", normed(key, "ple_norm_key"), normed(hidden, "ple_norm_query"))))
    size = same("sqrt", same("clamp", same("unary", scores)))
    gate = same("unary", same("mul", same("unary", scores), size))
    gated = same("mul", repeat(reshape(value, b.n_embd, 1, tokens), b.n_embd, count, tokens), gate)
    flat = reshape(normed(reshape(gated, width, tokens), "ple_norm_conv"), width, tokens)
    kernel, apart = model.integer("ple.conv_kernel"), model.integer("ple.ngram_size")
    inputs = reshape(flat, width, tokens // seqs, seqs)
    whole = convolved(b, inputs, (kernel - 1) * apart, width, "ngrams", loaded, block)
    y = None
    for _tap in range(min(kernel, ADDED)):
        shifted = cont(transpose(view(whole, tokens // seqs, width, seqs)))
        tap = reshape(cont(view(b.weight("ple_conv1d.weight", block), 1, width)), width)
        part = same("mul", shifted, tap)
        y = part if y is None else same("add", y, part)
    y = reshape(cont(same("unary", y)), b.n_embd, count, tokens)
    return same("add", hidden, same("add", gated, y))
