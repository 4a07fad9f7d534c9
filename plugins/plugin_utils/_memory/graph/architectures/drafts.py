# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graphs of small models that draft for another: EAGLE-3 and DFlash. What is reserved is their decoder.

Source: src/models/eagle3.cpp, dflash.cpp (graph<false>).
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .. import ggml
from ..ggml import concat, get_rows, reshape, same, set_rows
from .traits import SOFTCAP

NOT_DESCRIBED = {
    "hyper_connection.count": "drafts for DeepSeek V4",
    "conv_kernel_size": "convolutions between the tokens of a block (DFlash 2)",
    "selector_rank": "a selector of candidates (DFlash 2)",
}


def build_eagle3(b):
    """The whole graph of b, a Build."""
    block, tokens = 0, b.n_tokens
    words = embedded(b)
    target = b.given("target", "f32", b.n_embd, tokens)
    words = b.norm(words, "attn_norm", block)
    normed = b.norm(target, "attn_norm_2", block)
    residual = normed if b.model.hyperparameters.get("norm_before_residual") else target
    x = concat(words, normed, 0)
    q, k, v = b.qkv(x, block)
    x = b.attention(b.rope(q, block), b.rope(k, block), v, block)
    between = same("add", x, residual)
    x = same("add", b.feed_forward(b.norm(between, "ffn_norm", block), block), between)
    x.output = True
    x = b.matrix("output", b.norm(x, "output_norm"))
    return finished(b, x)


def build_dflash(b):
    for key, what in NOT_DESCRIBED.items():
        if b.model.hyperparameters.get(key):
            raise InfraError(
                f"the compute buffers of {what} are not modelled yet",
                where=b.model.name or "model",
                fix="No figure is given rather than a guess",
            )
    if b.has("dspark_markov_w1.weight"):
        raise InfraError("the compute buffers of a draft with a Markov head are not modelled yet", where=b.model.name or "model")
    x = embedded(b)
    if b.model.hyperparameters.get("embedding_scale"):
        x = same("scale", x)
    for block in b.blocks:
        x = dflash_block(b, x, block)
    x = b.norm(x, "output_norm")
    x.output = True
    x = b.matrix("output" if b.has("output.weight") else "token_embd", x)
    if b.model.hyperparameters.get("logit_scale"):
        x = same("scale", x)
    if b.model.hyperparameters.get("final_logit_softcapping"):
        for step in SOFTCAP:
            x = same(step, x)
    return finished(b, x)


def dflash_block(b, x, block):
    before = x
    x = b.norm(x, "attn_norm", block)
    heads, kv_heads, tokens = b.heads[block], b.kv_heads[block], b.n_tokens
    q, k = b.matrix("attn_q", x, block), b.matrix("attn_k", x, block)
    shared = not b.has("attn_v.weight", block)
    v = k if shared else b.matrix("attn_v", x, block)
    q, k = reshape(q, b.k_length, heads, tokens), reshape(k, b.k_length, kv_heads, tokens)
    v = reshape(v, b.v_length, kv_heads, tokens)
    q, k = b.norm(q, "attn_q_norm", block), b.norm(k, "attn_k_norm", block)
    v = same("rms_norm", v) if shared else v
    x = b.attention(b.rope(q), b.rope(k), v, block, sinks=b.weight("attn_sinks.weight", block))
    if b.model.hyperparameters.get("attention.value_scale"):
        x = same("scale", x)
    if b.has("post_attention_norm.weight", block):
        x = b.norm(x, "post_attention_norm", block)
    between = same("add", x, before)
    x = b.feed_forward(b.norm(between, "ffn_norm", block), block)
    if b.has("post_ffw_norm.weight", block):
        x = b.norm(x, "post_ffw_norm", block)
    x = same("add", x, between)
    return same("mul", x, b.weight("layer_output_scale.weight", block)) if b.has("layer_output_scale.weight", block) else x


def embedded(b):
    """Rows of the embedding for all tokens; a draft without one of its own reads that of its target."""
    if not b.has("token_embd.weight"):
        raise InfraError(
            "the compute buffers of a draft that reads the embedding of its target are not modelled yet",
            where=b.model.name or "model",
            fix="No figure is given rather than a guess",
        )
    return get_rows(b.weight("token_embd.weight"), b.given("tokens", "i32", b.n_tokens))


def finished(b, x):
    """The logits; those of a smaller vocabulary are put where the target's words are."""
    if b.has("d2t"):
        logits = same("fill", ggml.constant(1, b.needed("token_embd.weight").shape[1], x.shape[1]))
        x = reshape(set_rows(logits, reshape(x, 1, x.shape[0], x.shape[1]), b.weight("d2t")), logits.shape[1], x.shape[1])
    x.output = True
    return b.graph.expand(x)
