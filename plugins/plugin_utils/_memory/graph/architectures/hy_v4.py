# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graph of Hunyuan 4: latent attention with sinks and a gate, sparse where there is an indexer, in hyper-connections of its own.

Source: src/models/hy-v4.cpp.
"""

from __future__ import annotations

from ...cache import indexer
from .. import hyper_connections as hc
from ..ggml import cast, concat, mul_mat, reshape, same, view
from . import latent, sparse_latent, transformer


def build(b):
    """The whole graph of b, a Build."""
    own = indexer.owners(b.model)
    sparse = bool(b.model.integer("attention.indexer.top_k", 0))
    x = hc.spread(b, b.embeddings(), b.model.integer("hyper_connection.count"))
    chosen = None
    for block in b.blocks:
        y, post = before(b, x, "hc_attn", block)
        y = b.norm(y, "attn_norm", block)
        compressed = b.norm(b.matrix("attn_q_a", y, block), "attn_q_a_norm", block)
        if sparse and (own[block] or chosen is None):
            chosen = sparse_latent.choose(b, y, compressed, block, rotated=False)
        x = after(b, attention(b, y, compressed, chosen, block), x, post)
        y, post = before(b, x, "hc_ffn", block)
        y = transformer.network(b, b.norm(y, "ffn_norm", block), block, latent.TRAITS)
        x = after(b, y, x, post)
    x = hc.narrow(b, x)
    weights = mixes(b, x, "output_hc", None)
    weights = same("scale", same("unary", hc.affine(weights, b.weight("output_hc_scale.weight"), b.weight("output_hc_base.weight"))))
    return b.logits(reduced(b, x, weights))


def attention(b, x, compressed, chosen, block):
    sinks = b.weight("attn_sinks.weight", block)
    if chosen is not None:
        y = sparse_latent.attention(b, x, compressed, chosen, block, out=None, sinks=sinks)
    else:
        q, k, v = latent.absorbed(b, b.matrix("attn_q_b", compressed, block), x, block)
        y = latent.attention_on_latents(b, q, k, v, block, out=None, sinks=sinks)
    y = same("mul", y, same("unary", b.matrix("attn_gate", x, block)))
    return b.matrix("attn_output", y, block)


def mixes(b, x, name, block):
    count, tokens = x.shape[1], x.shape[2]
    return mul_mat(b.needed(f"{name}_fn.weight", block), same("rms_norm", reshape(x, count * b.n_embd, tokens)))


def before(b, x, name, block):
    """(the mixture of a token's rows to work on, the weights with which the result goes back)."""
    count, tokens = x.shape[1], x.shape[2]
    mixed = mixes(b, x, name, block)
    scale, base = b.weight(f"{name}_scale.weight", block), b.weight(f"{name}_base.weight", block)
    pre = same("scale", same("unary", hc.affine(view(mixed, count, tokens), view(scale, 1), view(base, count))))
    post = same("unary", hc.affine(view(mixed, count, tokens), view(scale, 1), view(base, count)))
    return reduced(b, x, pre), same("scale", same("scale", post))


def reduced(b, x, weights):
    tokens = x.shape[2]
    x = cast(x, "f32")
    y = None
    for _row in range(x.shape[1]):
        part = same("mul", view(x, b.n_embd, tokens), view(weights, 1, tokens))
        y = part if y is None else same("add", y, part)
    return cast(y, "f32")


def after(b, x, residual, post):
    """The rows with the result C(x) written back."""
    tokens = residual.shape[2]
    count = residual.shape[1]
    x, post, residual = cast(x, "f32"), cast(post, "f32"), cast(residual, "f32")
    y = None
    for _row in range(count):
        part = same("add", view(residual, b.n_embd, tokens), same("mul", x, view(post, 1, tokens)))
        part = reshape(part, b.n_embd, 1, tokens)
        y = part if y is None else concat(y, part, 1)
    return cast(y, "f32")
