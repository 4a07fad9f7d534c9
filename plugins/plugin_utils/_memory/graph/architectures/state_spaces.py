# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models with Mamba layers, alone, between blocks of attention, or beside it; and those with short convolutions.

Source: src/models/mamba.cpp, jamba.cpp, granite-hybrid.cpp, falcon-h1.cpp, nemotron-h.cpp, lfm2.cpp, plamo2.cpp.
"""

from __future__ import annotations

from ...cache import hybrid
from ..ggml import concat, mul_mat, reshape, same, transpose, view
from ..recurrent_state import store_state
from ..state_space import convolution_state, mamba, mamba2, mamba_of_plamo
from . import transformer
from .traits import Traits


def build_mamba(b):
    """The whole graph of mamba and mamba2."""
    layer = mamba2 if b.model.architecture == "mamba2" else mamba
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = layer(b, b.norm(x, "attn_norm", block), block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        x = same("add", x, before)
    return b.logits(x)


def build_jamba(b):
    traits = Traits(norm_weights=False)
    recurrent = hybrid.recurrent_blocks(b.model)
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        x = mamba(b, x, block) if recurrent[block] else b.attention(*b.qkv(x, block), block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", before, x)
        x = same("add", between, transformer.network(b, b.norm(between, "ffn_norm", block), block, traits))
    return b.logits(x)


def build_plamo(b):
    """The whole graph of plamo2: norms before and after each part."""
    recurrent = hybrid.recurrent_blocks(b.model)
    x = b.embeddings()
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        x = mamba_of_plamo(b, x, block) if recurrent[block] else plamo_attention(b, x, block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", b.norm(x, "post_attention_norm", block), before)
        x = b.feed_forward(b.norm(between, "ffn_norm", block), block)
        x = same("add", b.norm(x, "post_ffw_norm", block), between)
    return b.logits(x)


def plamo_attention(b, x, block):
    q, k, v = b.qkv(x, block)
    return b.attention(b.rope(b.norm(q, "attn_q_norm", block)), b.rope(b.norm(k, "attn_k_norm", block)), v, block)


def build_granite(b):
    """The whole graph of granitehybrid."""
    traits = Traits(rope="unless_told", residual_scale=True, logits=("logit_scale",), input=("embedding_scale",))
    recurrent = hybrid.recurrent_blocks(b.model)
    scaled = bool(b.model.hyperparameters.get("residual_scale"))
    x = transformer.embeddings(b, traits)
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        x = mamba2(b, x, block) if recurrent[block] else transformer.attention(b, x, block, traits)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", same("scale", x) if scaled else x, before)
        x = transformer.network(b, b.norm(between, "ffn_norm", block), block, traits)
        x = same("add", same("scale", x) if scaled else x, between)
    return b.project(transformer.last_norm(b, x, traits), transformer.logits(b, traits))


def build_falcon_h1(b):
    """Attention and Mamba 2 side by side in every block."""
    traits = Traits()
    x = b.embeddings()
    for block in b.blocks:
        before = x
        q, k, v = b.qkv(b.norm(x, "attn_norm", block), block)
        attended = b.attention(b.rope(q), b.rope(k), v, block)
        x = same("add", attended, mamba2(b, b.norm(before, "attn_norm", block), block))
        x = same("add", x, before)
        if block == b.last_block:
            x = b.outputs_only(x)
        x = same("add", transformer.network(b, b.norm(x, "ffn_norm", block), block, traits), x)
    return b.logits(x)


def build_nemotron_h(b):
    """A block is one thing only: Mamba 2, attention or a network."""
    traits = Traits(late_outputs="after")
    recurrent, attended = hybrid.recurrent_blocks(b.model), hybrid.attention_blocks(b.model)
    x = b.graph.expand(b.embeddings())
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        if recurrent[block]:
            x = mamba2(b, x, block)
        elif attended[block]:
            x = b.attention(*b.qkv(x, block), block)
        else:
            x = nemotron_network(b, x, block)
        x = same("add", x, before)
    return b.project(transformer.last_norm(b, x, traits))


def nemotron_network(b, x, block):
    if not b.has("ffn_gate_inp.weight", block):
        return b.feed_forward(x, block, act="relu_sqr")
    small = mul_mat(b.needed("ffn_latent_down.weight", block), x) if b.has("ffn_latent_down.weight", block) else x
    scores = b.matrix("ffn_gate_inp", x, block)
    y = transformer.routed(b, small, block, Traits(gating=None, norm_weights=None), early=scores, act="relu_sqr")
    if b.has("ffn_latent_up.weight", block):
        y = mul_mat(b.needed("ffn_latent_up.weight", block), y)
    return same("add", y, b.feed_forward(x, block, act="relu_sqr", suffix="_shexp"))


def build_lfm2(b):
    """Short convolutions between blocks of attention."""
    traits = Traits(gating=None)
    recurrent = hybrid.recurrent_blocks(b.model)
    x = b.graph.expand(b.embeddings())
    for block in b.blocks:
        before = x
        x = b.norm(x, "attn_norm", block)
        x = short_convolution(b, x, block) if recurrent[block] else lfm2_attention(b, x, block)
        if block == b.last_block:
            x, before = b.outputs_only(x), b.outputs_only(before)
        between = same("add", before, x)
        x = same("add", between, transformer.network(b, b.norm(between, "ffn_norm", block), block, traits))
    return b.logits(x, norm="output_norm" if b.has("output_norm.weight") else "token_embd_norm")


def lfm2_attention(b, x, block):
    q, k, v = b.qkv(x, block)
    return b.attention(b.rope(b.norm(q, "attn_q_norm", block)), b.rope(b.norm(k, "attn_k_norm", block)), v, block)


def short_convolution(b, x, block):
    tokens, width = b.n_tokens // b.n_seqs, b.n_embd
    columns = b.model.integer("shortconv.l_cache") - 1
    parts = b.matrix("shortconv.in_proj", reshape(x, x.shape[0], tokens, b.n_seqs), block)
    first, gate, last = (view(parts, width, tokens, b.n_seqs) for _part in range(3))
    product = transpose(same("mul", first, last))
    leaf, before = convolution_state(b, columns, width, block)
    whole = concat(before, product, 0)
    store_state(b, leaf, view(whole, columns, width, b.n_seqs), columns * width)
    y = same("mul", gate, b.convolution(whole, b.weight("shortconv.conv.weight", block)))
    y = b.matrix("shortconv.out_proj", y, block)
    return reshape(y, y.shape[0], b.n_tokens)
