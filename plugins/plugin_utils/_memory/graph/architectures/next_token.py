# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graph of the context of next-token prediction (MTP): a block of the model's own kind on what the model left and the next token.

Source: src/models/*.cpp (graph_mtp of the architectures below).
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .. import hyper_connections as hc
from ..ggml import concat, get_rows, reshape, same
from . import deepseek4, gated_delta_net, kimi, latent, state_spaces, transformer

OUTPUTS_FIRST = frozenset({"mimo2", "step35"})
"""Architectures that choose the rows for the logits before the last norm."""

OUTPUTS_IN_BLOCK = frozenset({"deepseek4", "nemotron_h_moe", "qwen3next"})
"""Architectures that choose them inside the block."""


def build(b):
    """The whole graph of b, a Build."""
    block, architecture = b.model.n_layer, b.model.architecture
    blocks = BLOCKS.get(architecture)
    if blocks is None:
        raise InfraError(
            f"the compute buffers of next-token prediction of architecture '{architecture}' are not modelled yet",
            where=b.model.name or "model",
            got="settings.mtp: context",
            fix="No figure is given rather than a guess",
        )
    norm = transformer.traits_of(b).norm if architecture == "cohere2moe" else "rms_norm"
    rows, left = inputs(b, block)
    rows, left = b.norm(rows, "nextn.enorm", block, op=norm), b.norm(left, "nextn.hnorm", block, op=norm)
    if architecture == "deepseek4":
        rows = hc.spread(b, rows, left.shape[1])
    x = blocks(b, b.matrix("nextn.eh_proj", concat(rows, left, 0), block), block)
    if architecture in OUTPUTS_FIRST:
        x = b.outputs_only(x)
        x.output = True
    x = last_norm(b, x, block, "norm" if architecture == "nemotron_h_moe" else norm)
    if architecture not in OUTPUTS_FIRST | OUTPUTS_IN_BLOCK:
        x = b.outputs_only(x)
    if not b.has("nextn.shared_head_head.weight", block):
        steps = transformer.logits(b, transformer.traits_of(b)) if architecture == "cohere2moe" else ()
        return b.project(x, steps)
    x = b.matrix("nextn.shared_head_head", x, block)
    x.output = True
    return b.graph.expand(x)


def inputs(b, block):
    """Rows of the embedding of the next tokens, and what the model left of those before."""
    words = b.weight("nextn.embed_tokens.weight", block) or b.needed("token_embd.weight")
    rows = get_rows(words, b.given("tokens", "i32", b.n_tokens))
    count = b.model.integer("hyper_connection.count", 1) if b.model.architecture == "deepseek4" else 1
    left = b.given("left", "f32", b.n_embd * count, b.n_tokens)
    return rows, reshape(left, b.n_embd, count, b.n_tokens) if count > 1 else left


def last_norm(b, x, block, op):
    for name, where in (("nextn.shared_head_norm", block), ("layer_output_norm", block), ("output_norm", None)):
        if b.has(f"{name}.weight", where):
            x = b.norm(x, name, where, op=op)
            break
    x.output = True
    return x


def plain(b, x, block):
    return transformer.decoder_block(b, x, block, transformer.traits_of(b))[0]


def gated(b, x, block):
    """Of qwen35 and qwen3next: attention whose Q brings a gate."""
    y = gated_delta_net.gated_attention(b, b.norm(x, "attn_norm", block), block)
    if b.model.architecture in OUTPUTS_IN_BLOCK:
        x, y = b.outputs_only(x), b.outputs_only(y)
    between = same("add", y, x)
    return same("add", transformer.network(b, b.norm(between, "post_attention_norm", block), block, gated_delta_net.TRAITS), between)


def latents(b, x, block):
    """Latent attention without an indexer, also where the model's own blocks have one."""
    y = b.norm(x, "attn_norm", block)
    if b.model.architecture == "bailingmoe3":
        y = kimi.gated_latent_attention(b, y, block)
    else:
        y = latent.attention_on_latents(b, *latent.absorbed(b, latent.query(b, y, block), y, block), block)
    between = same("add", y, x)
    return same("add", transformer.network(b, b.norm(between, "ffn_norm", block), block, latent.TRAITS), between)


def compressed(b, x, block):
    return deepseek4.head(b, deepseek4.decoder_block(b, x, block))


def nemotron(b, x, block):
    y = b.attention(*b.qkv(b.norm(x, "attn_norm", block), block), block)
    between = b.outputs_only(same("add", y, x))
    return same("add", state_spaces.nemotron_network(b, b.norm(between, "post_attention_norm", block), block), between)


BLOCKS = {
    **dict.fromkeys(("cohere2moe", "glm4moe", "hy_v3", "mimo2", "step35"), plain),
    **dict.fromkeys(("qwen35", "qwen35moe", "qwen3next"), gated),
    **dict.fromkeys(("bailingmoe3", "deepseek2", "deepseek32", "glm-dsa"), latents),
    "deepseek4": compressed,
    "nemotron_h_moe": nemotron,
}
"""What builds the block, for each architecture whose graph is described."""
