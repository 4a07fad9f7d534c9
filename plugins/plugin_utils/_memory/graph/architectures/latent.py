# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Latent attention (MLA): K and V of a token are compressed into one row, which the cache keeps.

Source: src/models/deepseek2.cpp, minicpm3.cpp, plm.cpp; src/llama-graph.cpp (build_attn with llm_graph_input_attn_k).
"""

from __future__ import annotations

from ..ggml import concat, cont, mul_mat, permute, repeat, reshape, same, view
from . import transformer
from .traits import Traits

TRAITS = Traits(gating=None, norm_weights=None)

ARCHITECTURES = ("deepseek2", "deepseek2-ocr", "mistral4")
WHOLE = ("minicpm3", "plm")
"""Architectures that take K and V apart before they are cached: plain attention from there on."""


def build(b):
    """The whole graph of b, a Build, of deepseek2 and its like."""
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = attention(b, b.norm(x, "attn_norm", block), block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", x, before)
        x = transformer.network(b, b.norm(between, "ffn_norm", block), block, TRAITS)
        x = same("add", x, between)
    return b.logits(x)


def build_whole(b):
    """The whole graph of minicpm3 and plm."""
    mini = b.model.architecture == "minicpm3"
    traits = Traits() if mini else Traits(act="relu_sqr")
    x = b.embeddings()
    if mini:
        x = same("scale", x)
    for block in b.blocks:
        before = x
        x = unpacked_attention(b, b.norm(x, "attn_norm", block), block, packed_v=mini)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", same("scale", x) if mini else x, before)
        x = transformer.network(b, b.norm(between, "ffn_norm", block), block, traits)
        x = same("add", same("scale", x) if mini else x, between)
    x = b.norm(x, "output_norm")
    x.output = True
    if mini:
        x = same("scale", x)
    return b.project(x)


def attention(b, x, block):
    if b.model.architecture == "deepseek2-ocr":
        q, k, v = b.qkv(x, block, kv_heads=b.heads[block])
        return b.attention(b.rope(q), b.rope(k), v, block)
    if "attention.key_length_mla" not in b.model.hyperparameters:
        return unpacked_attention(b, x, block)
    q, k, v = absorbed(b, query(b, x, block), x, block)
    if b.model.hyperparameters.get("attention.temperature_scale"):
        q = same("mul", q, b.given("attn_scale", "f32", 1, 1, b.n_tokens))
    return attention_on_latents(b, q, k, v, block)


def absorbed(b, q, x, block, rope=True):
    """Q moved into the space of the latents, K as it is cached, V as a part of it."""
    heads, tokens = b.heads[block], b.n_tokens
    latent, k_rope = latents(b, x, block, rope)
    rank, turned = latent.shape[0], k_rope.shape[0]
    length = q.shape[0] // heads
    q_nope = view(q, length - turned, heads, tokens)
    q_rope = view(q, turned, heads, tokens)
    if rope:
        q_rope = same("rope", q_rope, b.positions())
    q_latent = permute(mul_mat(b.needed("attn_k_b.weight", block), permute(q_nope, 0, 2, 1, 3)), 0, 2, 1, 3)
    v = reshape(latent, rank, 1, tokens)
    return concat(q_latent, q_rope, 0), concat(v, k_rope, 0), v


def attention_on_latents(b, q, k, v, block, mask=None, out="attn_output", sinks=None):
    """C(k) goes into the cache, its first part is V; the result is unpacked after attention."""
    graph = b.graph
    for part in (q, v, k):
        graph.expand(part)
    cache, n_kv = b.latent_cache(block, k.shape[0])
    suffix = "_swa" if b.windowed[block] else ""
    graph.expand(b.store_k(k, cache, suffix))
    keys = view(cache, k.shape[0], 1, n_kv, b.settings.n_stream)
    values = view(cache, v.shape[0], 1, n_kv, b.settings.n_stream)
    x = b.attend(q, keys, values, b.mask(n_kv, f"mask{suffix}") if mask is None else mask, sinks=sinks, v_mla=b.weight("attn_v_b.weight", block), v_is_k=True)
    return b.matrix(out, x, block, bias=False) if out else x


def query(b, x, block):
    """Q of all heads, by way of a smaller matrix in the larger models."""
    if b.has("attn_q.weight", block):
        return mul_mat(b.needed("attn_q.weight", block), x)
    return mul_mat(b.needed("attn_q_b.weight", block), b.norm(mul_mat(b.needed("attn_q_a.weight", block), x), "attn_q_a_norm", block))


def latents(b, x, block, rope=True):
    """(the normed latent, K's part with rope)."""
    both = mul_mat(b.needed("attn_kv_a_mqa.weight", block), x)
    rank = b.needed("attn_kv_a_norm.weight", block).shape[0]
    k_rope = view(both, both.shape[0] - rank, 1, b.n_tokens)
    if b.has("attn_k_norm.weight", block):
        k_rope = b.norm(k_rope, "attn_k_norm", block)
    if rope:
        k_rope = same("rope", k_rope, b.positions())
    return b.norm(view(both, rank, b.n_tokens), "attn_kv_a_norm", block), k_rope


def unpacked_attention(b, x, block, packed_v=True):
    """K and V for every head, taken out of the latent before they are cached."""
    heads, tokens = b.heads[block], b.n_tokens
    q = query(b, x, block)
    q = reshape(q, q.shape[0] // heads, heads, tokens)
    latent, k_rope = latents(b, x, block)
    rope = k_rope.shape[0]
    both = mul_mat(b.needed("attn_kv_b.weight", block), latent)
    nope = q.shape[0] - rope
    v_length = both.shape[0] // heads - nope
    v = cont(view(both, v_length, heads, tokens))
    if not packed_v:
        v = view(v, v_length * heads, tokens, packed=True)
    q = same("rope", q, b.positions())
    k = concat(view(both, nope, heads, tokens), repeat(k_rope, rope, heads, tokens), 0)
    if b.model.hyperparameters.get("attention.temperature_scale"):
        q = same("mul", q, b.given("attn_scale", "f32", 1, 1, tokens))
    return b.attention(q, k, v, block)
