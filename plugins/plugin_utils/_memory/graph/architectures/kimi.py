# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kimi's delta attention (KDA) between blocks of latent attention.

Source: src/models/kimi-linear.cpp, kimi-k3.cpp, bailingmoe3.cpp.
"""

from __future__ import annotations

from ...cache import hybrid
from .. import ggml
from ..delta_net import delta_net
from ..ggml import concat, cont, mul_mat, repeat, reshape, same, sum_rows, transpose, view
from ..recurrent_state import load_state, state_leaf, store_part
from . import latent, transformer
from .traits import Traits

ARCHITECTURES = ("kimi-linear", "kimi-k3", "bailingmoe3")
ROUTING = Traits(gating=None, norm_weights=None)


def build(b):
    """The whole graph of b, a Build, of kimi-linear and bailingmoe3."""
    recurrent = hybrid.recurrent_blocks(b.model)
    late = b.model.architecture == "bailingmoe3"
    traits = Traits(gating=None, norm_weights=None, late_outputs="after") if late else Traits(gating=None)
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        if not late:
            b.graph.expand(x)
        x = delta_attention(b, x, block) if recurrent[block] else gated_latent_attention(b, x, block)
        if block == b.last_block and not late:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", x, before)
        normed = b.norm(between, "ffn_norm", block)
        x = transformer.network(b, normed, block, traits)
        if b.has("ffn_gate_inp.weight", block) and not b.has("ffn_up_shexp.weight", block) and not late:
            x = same("add", x, normed)  # what is left of the shared experts of a file without them
        x = same("add", x, between)
    return b.project(transformer.last_norm(b, x, traits))


def delta_attention(b, x, block):
    """Q, K and V by way of convolutions, a decay for each channel, a gate for the result."""
    architecture, model, seqs = b.model.architecture, b.model, b.n_seqs
    tokens = b.n_tokens // seqs
    length = model.integer("kda.head_dim")
    heads = max(b.heads)
    q, k, v = convolutions(b, x, block, length, heads, tokens)
    gate = decay(b, x, block, length, heads, tokens)
    if architecture == "bailingmoe3":
        beta = same("unary", reshape(mul_mat(b.needed("ssm_beta.weight", block), x), 1, heads, tokens, seqs))
        q, k = same("scale", same("rms_norm", q)), same("scale", same("rms_norm", k))
    else:
        beta = same("unary", reshape(mul_mat(b.needed("ssm_beta.weight", block), x), 1, heads, tokens, seqs))
    width = length * length * heads
    leaf = state_leaf(b, block, "state", width)
    state = reshape(load_state(b, leaf, width), length, length, heads, seqs)
    if architecture != "bailingmoe3":
        q, k = same("scale", same("rms_norm", q)), same("scale", same("rms_norm", k))
    y = reshape(cont(delta_net(b, q, k, v, gate, beta, state, leaf, block)), length, heads, b.n_tokens)
    return gated(b, x, y, block, length, heads)


def convolutions(b, x, block, length, heads, tokens):
    """Q, K and V, each convolved over its last inputs, which share one state."""
    inner, seqs = length * heads, b.n_seqs
    kernels = [b.weight(f"ssm_conv1d_{name}.weight", block) for name in "qkv"]
    size = kernels[0].shape[0]
    width = 3 * (size - 1) * inner
    leaf = state_leaf(b, block, "convolution", width)
    before = load_state(b, leaf, width)
    inputs = [None] * 3
    if b.has("attn_qkv.weight", block):
        both = mul_mat(b.needed("attn_qkv.weight", block), x)
        inputs = [cont(view(both, inner, b.n_tokens)) for _part in range(3)]
    found = []
    for name, kernel, part in zip("qkv", kernels, inputs, strict=True):
        part = mul_mat(b.weight(f"attn_{name}.weight", block), x) if part is None else part
        whole = concat(view(before, size - 1, inner, seqs), transpose(reshape(part, inner, tokens, seqs)), 0)
        store_part(b, leaf, view(whole, size - 1, inner, seqs), size - 1, inner, seqs)
        y = same("unary", reshape(b.convolution(whole, reshape(kernel, size, inner)), inner, b.n_tokens))
        found.append(reshape(y, length, heads, tokens, seqs))
    return found


def decay(b, x, block, length, heads, tokens):
    gate = mul_mat(b.needed("ssm_f_a.weight", block), x)
    if b.has("ssm_f_b.weight", block):
        gate = mul_mat(b.needed("ssm_f_b.weight", block), gate)
    gate = same("add", gate, b.weight("ssm_dt.bias", block))
    rate = reshape(b.weight("ssm_a", block), 1, heads, 1)
    bounded = "kda.gate_lower_bound" in b.model.hyperparameters and b.model.architecture == "kimi-k3"
    if b.model.architecture == "bailingmoe3":
        gate = same("scale", same("unary", same("mul", reshape(gate, length, heads, b.n_tokens), rate)))
    elif bounded:
        gate = same("mul", reshape(gate, length, heads, b.n_tokens), rate)
        gate = same("scale", same("unary", same("scale", gate)))
    else:
        gate = same("mul", reshape(same("unary", gate), length, heads, b.n_tokens), rate)
    return reshape(gate, length, heads, tokens, b.n_seqs)


def gated(b, x, y, block, length, heads):
    """The normed result times a gate that comes from the block's input."""
    if b.has("ssm_g_b.weight", block):
        gate = mul_mat(b.needed("ssm_g_b.weight", block), mul_mat(b.needed("ssm_g_a.weight", block), reshape(x, x.shape[0], b.n_tokens)))
    elif b.model.architecture == "kimi-k3":
        gate = mul_mat(b.needed("ssm_g.weight", block), reshape(x, x.shape[0], b.n_tokens))
    else:
        gate = mul_mat(b.needed("ssm_g_a.weight", block), x)
    gate = reshape(gate, length, heads, b.n_tokens)
    y = same("mul", b.norm(y, "ssm_norm", block), same("unary", gate))
    return mul_mat(b.needed("attn_output.weight", block), cont(y, length * heads, b.n_tokens))


def gated_latent_attention(b, x, block):
    rope = b.model.architecture == "bailingmoe3"
    if not b.has("attn_k_b.weight", block):
        y = unpacked_without_rope(b, x, block)
    else:
        q, k, v = latent.absorbed(b, latent.query(b, x, block), x, block, rope=rope)
        y = latent.attention_on_latents(b, q, k, v, block, out="attn_output" if b.model.architecture == "kimi-linear" else None)
    if b.model.architecture == "kimi-linear":
        return y
    heads = b.heads[block]
    if b.model.architecture == "bailingmoe3":
        length = y.shape[0] // heads
        gate = same("unary", reshape(mul_mat(b.needed("attn_gate.weight", block), x), 1, heads, b.n_tokens))
        y = cont(same("mul", reshape(y, length, heads, b.n_tokens), gate), length * heads, b.n_tokens)
    elif b.has("attn_gate.weight", block):
        y = same("mul", y, same("unary", mul_mat(b.needed("attn_gate.weight", block), x)))
    return mul_mat(b.needed("attn_output.weight", block), y)


def unpacked_without_rope(b, x, block):
    heads, tokens = b.heads[block], b.n_tokens
    q = latent.query(b, x, block)
    q = reshape(q, q.shape[0] // heads, heads, tokens)
    compressed, k_rope = latent.latents(b, x, block, rope=False)
    both = mul_mat(b.needed("attn_kv_b.weight", block), compressed)
    rope = k_rope.shape[0]
    nope = q.shape[0] - rope
    v_length = both.shape[0] // heads - nope
    v = cont(view(both, v_length, heads, tokens))
    k = concat(repeat(k_rope, rope, heads, tokens), view(both, nope, heads, tokens), 0)
    return b.attention(q, k, v, block, out="attn_output" if b.model.architecture == "kimi-linear" else None)


# ---- kimi-k3: residuals of earlier blocks are kept and mixed ----


def build_k3(b):
    """The whole graph of kimi-k3."""
    recurrent = hybrid.recurrent_blocks(b.model)
    every = b.model.integer("attn_res.block_size", 0)
    kept = None
    x = b.embeddings()
    for block in b.blocks:
        total = x
        x = mixed(b, kept, total, "attn_res_score", block) if every else total
        banked = bool(every) and block % every == 0
        if banked:
            one = reshape(total, b.n_embd, 1, b.n_tokens)
            kept = one if kept is None else concat(kept, one, 1)
        x = b.graph.expand(b.norm(x, "attn_norm", block))
        x = delta_attention(b, x, block) if recurrent[block] else gated_latent_attention(b, x, block)
        total = x if banked else same("add", total, x)
        x = mixed(b, kept, total, "ffn_res_score", block) if every else total
        x = b.norm(x, "ffn_norm", block)
        x = latent_experts(b, x, block) if b.has("ffn_gate_inp.weight", block) else situ_network(b, x, block)
        x = same("add", total, x)
    if every:
        x = mixed(b, kept, x, "output_res_score")
    return b.logits(b.outputs_only(x))


def mixed(b, kept, x, name, block=None):
    if kept is None:
        return x
    score = b.weight(f"{name}.weight", block)
    count, tokens = kept.shape[1], b.n_tokens
    of_kept = reshape(sum_rows(same("mul", same("rms_norm", kept), score)), count, tokens)
    of_x = sum_rows(same("mul", same("rms_norm", x), score))
    shares = same("soft_max", concat(of_kept, of_x, 0))
    share_of_kept, share_of_x = cont(view(shares, count, tokens)), cont(view(shares, 1, tokens))
    y = ggml.result("hc_pre", (b.n_embd, tokens), kept, share_of_kept)
    return same("add", y, same("mul", x, share_of_x))


def situ(gate, up, linear=True):
    y = same("scale", same("unary", same("scale", gate)))
    y = same("mul", y, same("unary", gate))
    if linear:
        up = same("scale", same("unary", same("scale", up)))
    return same("mul", y, up)


def situ_network(b, x, block, suffix=""):
    linear = (b.model.hyperparameters.get("activation.situ_linear_beta") or 0.0) > 0
    gate, up = mul_mat(b.weight(f"ffn_gate{suffix}.weight", block), x), mul_mat(b.weight(f"ffn_up{suffix}.weight", block), x)
    return mul_mat(b.weight(f"ffn_down{suffix}.weight", block), situ(gate, up, linear))


def latent_experts(b, x, block):
    """Experts that work on a smaller row."""
    small = mul_mat(b.needed("ffn_routed_down.weight", block), x) if b.has("ffn_routed_down.weight", block) else x
    scores = mul_mat(b.needed("ffn_gate_inp.weight", block), x)
    y = transformer.routed(b, small, block, ROUTING, early=scores, act="situ")
    if b.has("ffn_routed_norm.weight", block):
        y = b.norm(y, "ffn_routed_norm", block)
    if b.has("ffn_routed_up.weight", block):
        y = mul_mat(b.needed("ffn_routed_up.weight", block), y)
    if b.has("ffn_gate_shexp.weight", block):
        y = same("add", y, situ_network(b, x, block, "_shexp"))
    return y
