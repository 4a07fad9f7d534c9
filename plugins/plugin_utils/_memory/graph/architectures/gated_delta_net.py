# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models with gated delta nets between blocks of attention: qwen3next and its like.

Source: src/models/qwen3next.cpp, qwen35.cpp, qwen35moe.cpp.
"""

from __future__ import annotations

from ...cache import hybrid
from ..delta_net import convolved, delta_net
from ..ggml import concat, cont, repeat, reshape, same, view
from ..recurrent_state import load_state, state_leaf
from . import transformer
from .traits import Traits

ARCHITECTURES = ("qwen3next", "qwen35", "qwen35moe")
TRAITS = Traits(norm_weights=True, late_outputs="after")


def build(b):
    """The whole graph of b, a Build."""
    recurrent = hybrid.recurrent_blocks(b.model)
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = b.graph.expand(b.norm(x, "attn_norm", block))
        x = linear_attention(b, x, block) if recurrent[block] else gated_attention(b, x, block)
        between = same("add", x, before)
        x = transformer.network(b, b.norm(between, "post_attention_norm", block), block, TRAITS)
        x = same("add", x, between)
    return b.project(transformer.last_norm(b, x, TRAITS))


def gated_attention(b, x, block):
    """Q brings a gate for the result."""
    length, heads, kv_heads, tokens = b.k_length, b.heads[block], b.kv_heads[block], b.n_tokens
    each = 1 if b.model.architecture == "qwen3next" else 4
    q, k, v = gated_qkv(b, x, block, 2 * length * heads, length * kv_heads)
    whole = reshape(q, 2 * length, heads, tokens)
    gate = view(whole, length, heads, tokens)
    q = b.rope(b.norm(view(whole, length, heads, tokens), "attn_q_norm", block), each=each)
    k = b.rope(b.norm(reshape(k, length, kv_heads, tokens), "attn_k_norm", block), each=each)
    x = b.attention(q, k, reshape(v, length, kv_heads, tokens), block, out=None)
    x = same("mul", x, same("unary", cont(gate, length * heads, tokens)))
    return b.matrix("attn_output", x, block, bias=False)


def gated_qkv(b, x, block, q_width, kv_width):
    """Q with its gate, K and V: from three matrices, or copied out of the result of one."""
    if not b.has("attn_qkv.weight", block):
        return [b.matrix(f"attn_{name}", x, block) for name in "qkv"]
    both = b.matrix("attn_qkv", x, block)
    return [cont(view(both, width, b.n_tokens)) for width in (q_width, kv_width, kv_width)]


def linear_attention(b, x, block):
    model, seqs = b.model, b.n_seqs
    tokens = b.n_tokens // seqs
    inner, length = model.integer("ssm.inner_size"), model.integer("ssm.state_size")
    heads_k, heads = model.integer("ssm.group_count"), model.integer("ssm.time_step_rank")
    v_length = inner // heads
    mixed, z = mixed_and_gate(b, x, block, length, v_length, heads_k, heads, tokens)
    gate, beta = decay_and_beta(b, x, block, heads_k, heads, tokens)
    kernel = b.weight("ssm_conv1d.weight", block)
    whole = convolved(b, mixed, kernel, block)
    width = v_length * v_length * heads
    leaf = state_leaf(b, block, "state", width)
    state = reshape(load_state(b, leaf, width), v_length, v_length, heads, seqs)
    mixed = same("unary", b.convolution(whole, kernel))
    q, k, v = view(mixed, length, heads_k, tokens, seqs), view(mixed, length, heads_k, tokens, seqs), view(mixed, v_length, heads, tokens, seqs)
    q, k = same("scale", same("rms_norm", q)), same("scale", same("rms_norm", k))
    if heads_k != heads:
        q, k = widened(b, q, heads), widened(b, k, heads)
    x = delta_net(b, q, k, v, gate, beta, state, leaf, block)
    x = same("mul", b.norm(x, "ssm_norm", block), same("unary", reshape(z, v_length, heads, tokens, seqs)))
    x = b.matrix("ssm_out", reshape(x, v_length * heads, tokens, seqs), block)
    return reshape(x, b.n_embd, b.n_tokens)


def mixed_and_gate(b, x, block, length, v_length, heads_k, heads, tokens):
    """Q, K and V of all heads in one, and the gate of the result; older files have one matrix for both."""
    if b.has("attn_qkv.weight", block):
        mixed = b.matrix("attn_qkv", x, block)
        return reshape(mixed, mixed.shape[0], tokens, b.n_seqs), b.matrix("attn_gate", x, block)
    per_head = v_length * heads // heads_k
    both = reshape(b.matrix("ssm_in", x, block), 2 * length + 2 * per_head, heads_k, tokens, b.n_seqs)
    z = cont(view(both, per_head, heads_k, tokens, b.n_seqs))
    q, k, v = (cont(view(both, size, heads_k, tokens, b.n_seqs), size * heads_k, tokens, b.n_seqs) for size in (length, length, per_head))
    return concat(concat(q, k, 0), v, 0), z


def decay_and_beta(b, x, block, heads_k, heads, tokens):
    if b.has("ssm_ba.weight", block):
        both = reshape(b.matrix("ssm_ba", x, block), 2 * heads // heads_k, heads_k, tokens, b.n_seqs)
        beta = same("unary", cont(view(both, heads // heads_k, heads_k, tokens, b.n_seqs)))
        alpha = cont(view(both, heads // heads_k, heads_k, tokens, b.n_seqs), heads, tokens, b.n_seqs)
    else:
        beta = same("unary", reshape(b.matrix("ssm_beta", x, block), 1, heads, tokens, b.n_seqs))
        alpha = reshape(b.matrix("ssm_alpha", x, block), heads, tokens, b.n_seqs)
    gate = same("unary", same("add", alpha, b.weight("ssm_dt.bias", block)))
    gate = same("mul", gate, b.weight("ssm_a", block))
    return reshape(gate, 1, heads, tokens, b.n_seqs), reshape(beta, 1, heads, tokens, b.n_seqs)


def widened(b, x, heads):
    """Heads of Q and K repeated, where there are more of V; the fused rule of newer models does without."""
    length, heads_k, tokens, seqs = x.shape
    if b.model.architecture == "qwen3next":
        x = repeat(reshape(x, length, 1, heads_k, tokens * seqs), length, heads // heads_k, heads_k, tokens * seqs)
        return reshape(x, length, heads, tokens, seqs)
    return x
