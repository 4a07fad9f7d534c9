# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graph of Granite Switch: adapters of low rank, one of which a router chooses for each token.

Source: src/models/granite-switch.cpp.
"""

from __future__ import annotations

from .. import ggml
from ..ggml import cast, cont, get_rows, mul_mat, mul_mat_id, reshape, same, view


def build(b):
    """The whole graph of b, a Build."""
    tokens = b.n_tokens
    x = get_rows(b.needed("token_embd.weight"), b.given("tokens", "i32", tokens))
    if b.model.hyperparameters.get("embedding_scale"):
        x = same("scale", x)
    chosen = route(b)
    for block in b.blocks:
        before = x
        x = attention(b, b.norm(x, "attn_norm", block), chosen, block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
            chosen = b.outputs_only(reshape(chosen, 1, tokens))
            chosen = reshape(chosen, chosen.shape[1])
        x = network(b, x, before, chosen, block)
    return b.logits(x, steps=("scale",))


def route(b):
    """The adapter of each token, found by attention with one head in a block of its own behind all others."""
    tokens, router = b.n_tokens, b.model.n_layer
    lanes = (ggml.pad(reshape(b.given(name, "f32", tokens), 1, 1, tokens), b.k_length - 1, 0, 0, 0) for name in ("router_q", "router_k", "router_v"))
    slot = b.attention(*lanes, router, out=None)
    slot = reshape(cont(view(slot, 1, tokens)), tokens)
    return cast(same("unary", same("clamp", slot)), "i32")


def adapted(b, name, x, chosen, block):
    """C(x) times a matrix, and what the adapter adds."""
    return same("add", mul_mat(b.needed(f"{name}.weight", block), x), low_rank(b, name, x, chosen, block))


def low_rank(b, name, x, chosen, block):
    tokens = x.shape[1]
    x, ids = reshape(x, x.shape[0], 1, tokens), reshape(chosen, 1, tokens)
    y = mul_mat_id(b.needed(f"{name}.lora_a", block), x, ids)
    y = mul_mat_id(b.needed(f"{name}.lora_b", block), y, ids)
    return reshape(y, y.shape[0], tokens)


def attention(b, x, chosen, block):
    tokens, heads, kv_heads = b.n_tokens, b.heads[block], b.kv_heads[block]
    whole = mul_mat(b.needed("attn_qkv.weight", block), x)
    counts = {"q": heads, "k": kv_heads, "v": kv_heads}
    parts = {name: cont(view(whole, b.k_length * count, tokens)) for name, count in counts.items()}
    parts = {name: same("add", part, low_rank(b, f"attn_{name}", x, chosen, block)) for name, part in parts.items()}
    q, k, v = (reshape(parts[name], b.k_length, count, tokens) for name, count in counts.items())
    if b.model.hyperparameters.get("rope.scaling.finetuned", True):
        q, k = b.rope(q, block), b.rope(k, block)
    y = b.attention(q, k, v, block, out=None)
    return adapted(b, "attn_output", y, chosen, block)


def network(b, x, before, chosen, block):
    scaled = bool(b.model.hyperparameters.get("residual_scale"))
    between = same("add", same("scale", x) if scaled else x, before)
    x = b.norm(between, "ffn_norm", block)
    gate = adapted(b, "ffn_gate", x, chosen, block)
    up = adapted(b, "ffn_up", x, chosen, block)
    y = adapted(b, "ffn_down", same("mul", same("unary", gate), up), chosen, block)
    return same("add", same("scale", y) if scaled else y, between)
