# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sparse latent attention (DSA): an indexer chooses the cells that attention may look at, in blocks without a window.

Source: src/models/deepseek32.cpp, dots3note.cpp, glm-dsa.cpp; src/llama-graph.cpp (build_attn with llm_graph_input_attn_k_dsa).
"""

from __future__ import annotations

from ...cache import indexer
from .. import ggml
from ..ggml import cont, mul_mat, reshape, same, view
from . import latent, transformer

ARCHITECTURES = ("deepseek32", "dots3note", "glm-dsa")


def build(b):
    """The whole graph of b, a Build."""
    own = indexer.owners(b.model)
    chosen = None
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        compressed = b.norm(mul_mat(b.needed("attn_q_a.weight", block), x), "attn_q_a_norm", block)
        gated = b.has("attn_gate.weight", block)
        out = None if gated else "attn_output"
        inside = x
        if b.windowed[block]:
            q, k, v = latent.absorbed(b, b.matrix("attn_q_b", compressed, block), x, block)
            x = latent.attention_on_latents(b, q, k, v, block, out=out)
        else:
            if own[block] or chosen is None:
                chosen = choose(b, x, compressed, block)
            x = attention(b, x, compressed, chosen, block, out=out)
        if gated:
            x = transformer.gated_result(b, x, b.matrix("attn_gate", inside, block), block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", x, before)
        x = transformer.network(b, b.norm(between, "ffn_norm", block), block, latent.TRAITS)
        x = same("add", x, between)
    return b.logits(x)


def choose(b, x, compressed, block, rotated=True):
    """The cells with the highest scores, for each token (the fused Lightning Indexer)."""
    model, tokens, streams = b.model, b.n_tokens, b.settings.n_stream
    heads, length = model.integer("attention.indexer.head_count"), model.integer("attention.indexer.key_length")
    q = same("rope", reshape(mul_mat(b.weight("indexer.attn_q_b.weight", block), compressed), length, heads, tokens), b.positions())
    k = b.norm(mul_mat(b.weight("indexer.attn_k.weight", block), x), "indexer.k_norm", block, op="norm")
    k = same("rope", reshape(k, length, 1, tokens), b.positions())
    if rotated:
        rotation = b.given(f"index_rot{rotation_size(length)}", "f32", rotation_size(length), rotation_size(length))
        q, k = mul_mat(rotation, q), mul_mat(rotation, k)
    cache, n_kv = b.index_cache(block, length)
    b.graph.expand(b.store_k(k, cache, "_index"))
    weights = mul_mat(b.weight("indexer.proj.weight", block), x)
    q = view(q, length, heads, tokens // streams, streams)
    weights = same("scale", view(weights, heads, tokens // streams, 1, streams))
    keys = view(cache, length, 1, n_kv, streams)
    score = ggml.result("lightning_indexer", (n_kv, tokens // streams, 1, streams), q, keys, weights, b.mask(n_kv, "mask_index", flash=True))
    return cont(ggml.top_k(score, min(n_kv, model.integer("attention.indexer.top_k"))))


def rotation_size(length):
    size = 64
    while length % (2 * size) == 0:
        size *= 2
    return size


def attention(b, x, compressed, chosen, block, out="attn_output", sinks=None):
    q, k, v = latent.absorbed(b, mul_mat(b.needed("attn_q_b.weight", block), compressed), x, block)
    graph, streams = b.graph, b.settings.n_stream
    for part in (q, v, k):
        graph.expand(part)
    cache, n_kv = b.latent_cache(block, k.shape[0])
    graph.expand(b.store_k(k, cache))
    mask = b.mask(n_kv)
    tokens = mask.shape[1]
    closed = view(same("fill", mask), 1, n_kv, tokens, streams)
    count = chosen.shape[0]
    open_ = same("fill", ggml.constant(1, count, tokens, streams))
    opened = ggml.set_rows(closed, open_, view(chosen, count, tokens, streams))
    opened = same("add", view(opened, n_kv, tokens, 1, streams), mask)
    keys = view(cache, k.shape[0], 1, n_kv, streams)
    values = view(cache, v.shape[0], 1, n_kv, streams)
    x = b.attend(q, keys, values, opened, sinks=sinks, v_mla=b.weight("attn_v_b.weight", block), v_is_k=True)
    return b.matrix(out, x, block, bias=False) if out else x
