# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gemma 4 and Gemma 3n: inputs of their own for each block, and blocks that use the cache of earlier ones.

Source: src/models/gemma4.cpp, gemma3n.cpp; src/llama-model.cpp (create_memory: reuse).
"""

from __future__ import annotations

from ...cache.sliding_window import first_block_without_cache
from .. import ggml
from ..ggml import concat, cont, get_rows, mul_mat, permute, repeat, reshape, same, sum_rows, transpose, view
from . import transformer
from .traits import SOFTCAP, Traits

SPARSE_BLOCKS = 10
"""Blocks of gemma3n, from the first on, that keep the largest activations only (gemma3n.cpp: n_layer_sparsity)."""

STREAMS, ACTIVE = 4, 0
"""Rows that gemma3n carries for each token, and which of them is worked on (llama-hparams.h: n_altup, i_altup_act)."""

LATE = Traits(late_outputs="after")


def marks(model):
    """Blocks with a cache of their own; in gemma3n also those with sparse activations."""
    first = first_block_without_cache(model)
    return tuple((block < first, model.architecture == "gemma3n" and block < SPARSE_BLOCKS) for block in range(model.n_layer))


def build_4(b):
    """The whole graph of gemma4."""
    x = same("scale", b.embeddings())
    per_block = inputs_per_block(b, x) if b.has("per_layer_token_embd.weight") else None
    for block in b.blocks:
        before = x
        x = attention_4(b, b.norm(x, "attn_norm", block), block)
        between = same("add", b.norm(x, "post_attention_norm", block), before)
        x = network_4(b, between, block)
        x = same("add", b.norm(x, "post_ffw_norm", block), between)
        if per_block is not None:
            y = same("unary", b.matrix("inp_gate", x, block))
            y = same("mul", y, view(per_block, per_block.shape[0], b.n_tokens, packed=True))
            x = same("add", x, b.norm(b.matrix("proj", y, block), "post_norm", block))
        if b.has("layer_output_scale.weight", block):
            x = same("mul", x, b.weight("layer_output_scale.weight", block))
    capped = b.model.hyperparameters.get("final_logit_softcapping")
    return b.project(transformer.last_norm(b, x, LATE), SOFTCAP if capped else ())


def inputs_per_block(b, x):
    """A small row for each token and block: looked up, and added to a projection of the embeddings."""
    tokens = ggml.leaf_input("i32", b.n_tokens)
    rows = get_rows(b.weight("per_layer_token_embd.weight"), tokens)
    width = rows.shape[0] // b.model.n_layer_all
    rows = b.graph.expand(same("scale", reshape(rows, width, b.model.n_layer_all, b.n_tokens)))
    y = reshape(same("scale", mul_mat(b.weight("per_layer_model_proj.weight"), x)), width, b.model.n_layer_all, b.n_tokens)
    y = same("scale", same("add", b.norm(y, "per_layer_proj_norm"), rows))
    return cont(permute(y, 0, 2, 1, 3))


def attention_4(b, x, block):
    length, v_length = b.lengths(block)
    heads, kv_heads, tokens = b.heads[block], b.kv_heads[block], b.n_tokens
    fused = b.matrix("attn_qkv", x, block) if b.has("attn_qkv.weight", block) else None
    q = cont(view(fused, length * heads, tokens)) if fused is not None else b.matrix("attn_q", x, block)
    factors = not b.windowed[block]
    q = b.rope(b.norm(reshape(q, length, heads, tokens), "attn_q_norm", block), block, factors=factors)
    first = first_block_without_cache(b.model)
    if block >= first:
        return b.attention(q, None, None, block, cache_of=first - (2 if b.windowed[block] else 1))
    if fused is not None:
        k, v = cont(view(fused, length * kv_heads, tokens)), cont(view(fused, v_length * kv_heads, tokens))
    else:
        k = b.matrix("attn_k", x, block)
        v = b.matrix("attn_v", x, block) if b.has("attn_v.weight", block) else k
    k, v = reshape(k, length, kv_heads, tokens), reshape(v, v_length, kv_heads, tokens)
    k = b.norm(k, "attn_k_norm", block)
    v = same("rms_norm", v)
    return b.attention(q, b.rope(k, block, factors=factors), v, block)


def network_4(b, x, block):
    """A dense network, and experts beside it in the models that have some."""
    if not b.has("ffn_gate_inp.weight", block):
        return b.feed_forward(b.norm(x, "ffn_norm", block), block)
    y = b.norm(b.feed_forward(b.norm(x, "ffn_norm", block), block), "post_ffw_norm_1", block)
    z = b.norm(x, "pre_ffw_norm_2", block)
    scores = same("mul", same("scale", same("rms_norm", x)), b.weight("ffn_gate_inp.scale", block))
    scores = mul_mat(b.needed("ffn_gate_inp.weight", block), scores)
    z = b.norm(b.experts(z, block, norm_weights=True, probabilities=scores), "post_ffw_norm_2", block)
    return same("add", y, z)


def build_3n(b):
    """The whole graph of gemma3n: four rows for each token, one of which is worked on."""
    tokens = b.n_tokens
    x = same("scale", b.embeddings())
    per_block = inputs_per_block(b, x)
    target = magnitude(x)
    others = mul_mat(b.weight("altup_proj.weight"), repeat(x, b.n_embd, tokens, STREAMS - 1))
    others = same("div", same("mul", others, target), magnitude(others))
    x = concat(x, others, 2)
    for block in b.blocks:
        predictions = predict(b, x, block)
        active = row(b, predictions)
        y = b.norm(active, "attn_norm", block)
        laurel = same("add", b.norm(b.matrix("laurel_r", b.matrix("laurel_l", y, block), block), "laurel_post_norm", block), y)
        y = same("add", b.norm(attention_3n(b, y, block), "post_attention_norm", block), active)
        between = same("scale", same("add", y, laurel))
        y = b.norm(between, "ffn_norm", block)
        up, gate = b.matrix("ffn_up", y, block), b.matrix("ffn_gate", y, block)
        if block < SPARSE_BLOCKS:
            gate = largest(gate)
        y = b.matrix("ffn_down", same("mul", up, same("unary", gate)), block)
        y = same("add", b.norm(y, "post_ffw_norm", block), between)
        corrected = correct(b, predictions, y, block)
        first = same("mul", row(b, corrected), b.weight("altup_correct_scale.weight", block))
        first = same("unary", b.matrix("inp_gate", first, block))
        first = same("mul", first, view(per_block, per_block.shape[0], tokens, packed=True))
        first = b.norm(b.matrix("proj", first, block), "post_norm", block)
        rest = same("add", view(corrected, b.n_embd, tokens, STREAMS - 1, packed=True), first)
        x = concat(row(b, corrected), rest, 2)
    target = magnitude(row(b, x))
    others = mul_mat(b.weight("altup_unembd_proj.weight"), view(x, b.n_embd, tokens, STREAMS - 1, packed=True))
    others = same("div", same("mul", others, target), magnitude(others))
    y = row(b, x)
    for _stream in range(STREAMS - 1):
        y = same("add", y, view(others, b.n_embd, tokens, packed=True))
    return b.logits(b.outputs_only(same("scale", y)), steps=SOFTCAP)


def row(b, x):
    return view(x, b.n_embd, b.n_tokens, packed=True)


def magnitude(x):
    return same("sqrt", sum_rows(same("sqr", x)))


def attention_3n(b, x, block):
    first = first_block_without_cache(b.model)
    if block < first:
        q, k, v = b.qkv(x, block)
        q, k, v = b.norm(q, "attn_q_norm", block), b.norm(k, "attn_k_norm", block), same("rms_norm", v)
        return b.attention(b.rope(q), b.rope(k), v, block)
    fused = b.has("attn_qkv.weight", block)
    q = cont(view(b.matrix("attn_qkv", x, block), b.k_length * b.heads[block], b.n_tokens)) if fused else b.matrix("attn_q", x, block)
    q = b.rope(b.norm(reshape(q, b.k_length, b.heads[block], b.n_tokens), "attn_q_norm", block))
    return b.attention(q, None, None, block, cache_of=first - (2 if b.windowed[block] else 1))


def router(b, x, block):
    return same("unary", mul_mat(b.weight("altup_router.weight", block), same("scale", b.norm(x, "altup_router_norm", block))))


def predict(b, x, block):
    coefficients = b.matrix("altup_predict_coef", router(b, row(b, x), block), block)
    coefficients = reshape(coefficients, STREAMS, STREAMS, b.n_tokens)
    y = mul_mat(cont(permute(x, 1, 2, 0, 3)), coefficients)
    return same("add", cont(permute(y, 0, 2, 1, 3)), x)


def correct(b, predictions, active, block):
    modalities = router(b, active, block)
    innovation = same("sub", active, row(b, predictions))
    coefficients = same("scale", b.matrix("altup_correct_coef", modalities, block))
    coefficients = cont(transpose(coefficients), 1, b.n_tokens, STREAMS)
    innovation = repeat(innovation, b.n_embd, b.n_tokens, STREAMS)
    return same("add", same("mul", innovation, coefficients), predictions)


def largest(x):
    """All but the largest activations set to zero."""
    mean = ggml.result("mean", (1, *x.shape[1:]), x)
    deviation = same("sqrt", same("scale", sum_rows(same("sqr", same("sub", x, mean)))))
    return same("unary", same("sub", x, same("add", mean, same("scale", deviation))))
