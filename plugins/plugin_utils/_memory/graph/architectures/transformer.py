# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graphs of decoders with attention and a feed-forward network in each block: most architectures.

Where a model has a tensor, its graph has the operation; the Traits say what the tensors don't tell.
Source: src/models/*.cpp of the architectures in ARCHITECTURES.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ggml import same


@dataclass(frozen=True)
class Traits:
    """What distinguishes the graph of an architecture.

    C(norm): rms_norm or norm. C(act): of a network without gate. C(gating): how the router weighs the experts.
    C(norm_weights), C(scale): of the experts' weights; None: as the header says.
    """

    norm: str = "rms_norm"
    act: str = "silu"
    gating: str = "softmax"
    norm_weights: bool | None = False
    scale: bool | None = None
    softcap: int = 0
    rope: bool = True
    scaled_input: int = 0
    scaled_logits: int = 0


DEFAULT = Traits()

ARCHITECTURES = frozenset(
    """afmoe apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell cogvlm cohere2 command-r dbrx deci
    deepseek dots1 dream ernie4_5 ernie4_5-moe exaone exaone4 exaone-moe falcon gemma gemma2 gemma3 glm4 glm4moe gpt-oss gpt2 gptj gptneox granite
    granitemoe grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 laguna llada llama llama4 maincoder maple mellum mimo2
    minicpm minimax-m2 mistral3 mpt muse-glimmer nanbeige nemotron olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe
    plamo plamo3 plm pockettts qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe refact rnd1 seed_oss smallthinker smollm3 stablelm
    starcoder starcoder2 talkie xverse""".split()
)

TRAITS = {}


def build(b):
    """The whole graph of b, a Build, for its blocks."""
    traits = TRAITS.get(b.model.architecture, DEFAULT)
    x = b.embeddings()
    for _step in range(traits.scaled_input):
        x = same("scale", x)
    for block in b.blocks:
        x = decoder_block(b, x, block, traits)
    return b.logits(x, op=traits.norm, scaled=traits.scaled_logits)


def decoder_block(b, x, block, traits):
    before = x
    x = b.norm(x, "attn_norm", block, op=traits.norm)
    x = attention(b, x, block, traits)
    if block == b.last_block:
        x, before = b.outputs_only(x), b.outputs_only(before)
    x = same("add", x, before)
    between = x
    x = b.norm(x, "ffn_norm", block, op=traits.norm)
    x = network(b, x, block, traits)
    return same("add", x, between)


def attention(b, x, block, traits):
    q, k, v = b.qkv(x, block)
    if b.has("attn_q_norm.weight", block):
        q = b.norm(q, "attn_q_norm", block, op=traits.norm)
    if traits.rope:
        q = b.rope(q, block)
    if b.has("attn_k_norm.weight", block):
        k = b.norm(k, "attn_k_norm", block, op=traits.norm)
    if traits.rope:
        k = b.rope(k, block)
    return b.attention(q, k, v, block, softcap=traits.softcap)


def network(b, x, block, traits):
    """The experts, with shared ones beside them, or the dense network."""
    if not b.has("ffn_gate_inp.weight", block):
        return b.feed_forward(x, block, act=traits.act)
    y = routed(b, x, block, traits)
    if b.has("ffn_up_shexp.weight", block):
        y = same("add", y, b.feed_forward(x, block, act=traits.act, suffix="_shexp"))
    return y


def routed(b, x, block, traits):
    hyperparameters = b.model.hyperparameters
    norm_weights = hyperparameters.get("expert_weights_norm", False) if traits.norm_weights is None else traits.norm_weights
    scale = hyperparameters.get("expert_weights_scale", 1.0) not in (0.0, 1.0) if traits.scale is None else traits.scale
    gating = {0: "softmax", 1: "softmax", 2: "sigmoid", 3: "softmax_weight", 4: "sqrt_softplus"}[hyperparameters.get("expert_gating_func", 0)] if traits.gating is None else traits.gating
    return b.experts(x, block, gating=gating, norm_weights=norm_weights, scale=scale)
