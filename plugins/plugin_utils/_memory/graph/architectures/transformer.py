# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graphs of decoders with attention and a feed-forward network in each block: most architectures.

Where a model has a tensor, its graph has the operation; traits.py says what the tensors don't tell.
Source: src/models/*.cpp of the architectures in traits.py.
"""

from __future__ import annotations

from dataclasses import replace

from ..ggml import concat, constant, get_rows, glu, repeat, reshape, result, same, view
from .traits import SOFTCAP, TRAITS

ARCHITECTURES = tuple(TRAITS)
GATING = {0: "softmax", 1: "softmax", 2: "sigmoid", 3: "softmax_weight", 4: "sqrt_softplus"}
PACKED_QKV = frozenset(("olmo2", "olmoe", "minimax-m2", "step35"))
"""Architectures that copy Q, K and V out of one matrix's result (build_qkv without reshape)."""

CLAMPED_AT_ONCE = frozenset(("deepseek4", "dflash", "glm5-next", "hy_v4", "maple"))

PICTURE_TOKENS = 8192
"""Of chameleon (src/models/chameleon.cpp)."""

NO_ROPE_STEP = {"llama4": 4, "smollm3": 4, "smallthinker": 4, "afmoe": 4}


def build(b):
    """The whole graph of b, a Build."""
    traits = traits_of(b)
    x = embeddings(b, traits)
    skip = x if traits.skip else None
    for block in b.blocks:
        x, skip = decoder_block(b, x, block, traits, skip)
        if b.model.architecture == "nanbeige" and loop_ends(b.model)[block] and not b.model.hyperparameters.get("skip_loop_final_norm"):
            x = b.norm(x, "output_norm")
    x = last_norm(b, x, traits)
    return b.graph.expand(x) if traits.embeds else b.project(x, logits(b, traits))


def loop_ends(model):
    """Whether the blocks are run again after this one (nanbeige)."""
    return tuple((block + 1) % model.n_block == 0 and block + 1 < model.n_layer for block in range(model.n_layer_all))


def traits_of(b):
    traits = TRAITS[b.model.architecture]
    if b.model.architecture == "gptneox" and b.model.hyperparameters.get("use_parallel_residual", True):
        return replace(traits, parallel=("own", "inp,attn"))
    if b.model.architecture == "cohere2moe" and not b.model.hyperparameters.get("attention.layer_norm_rms_epsilon"):
        return replace(traits, norm="norm")
    if b.model.hyperparameters.get("swin_norm"):
        return replace(traits, pre_norm=False, post_norm=True)
    return traits


def embeddings(b, traits):
    x = b.embeddings()
    for step in traits.input:
        if step == "norm":
            x = same("rms_norm", x)
        elif step == "norm_weight":
            x = b.norm(x, "token_embd_norm", op=traits.norm)
        elif step == "position":
            if b.has("position_embd.weight"):
                x = same("add", x, get_rows(b.weight("position_embd.weight"), b.positions()))
        elif step == "scale" or b.model.hyperparameters.get("embedding_scale"):
            x = same("scale", x)
            if step == "embedding_scale":
                b.graph.expand(x)
    return x


def last_norm(b, x, traits):
    if traits.late_outputs == "before":
        x.output = True
        x = b.outputs_only(x)
    x = b.norm(x, "enc.output_norm" if b.model.architecture == "neo-bert" else "output_norm", op=traits.norm)
    x.output = True
    if traits.late_outputs == "after":
        x = b.outputs_only(x)
        x.output = True
    return x


def logits(b, traits):
    """The operations on the logits, by name."""
    hyperparameters = b.model.hyperparameters
    steps = []
    for step in traits.logits:
        if step == "softcap":
            steps.extend(SOFTCAP if hyperparameters.get("final_logit_softcapping", 0.0 if b.model.architecture != "grok" else 1.0) else ())
        elif step == "logit_scale":
            steps.extend(("scale",) if hyperparameters.get("logit_scale") else ())
        elif step == "no_pictures":
            steps.append(without_pictures)
        elif step == "padded":
            steps.append(lambda x: padded(b, x))
        else:
            steps.append(step)
    return steps


def without_pictures(x):
    """Chameleon's tokens of pictures are never chosen: their logits are overwritten."""
    return result("set", x.shape, x, same("clamp", constant(PICTURE_TOKENS)))


def padded(b, x):
    """Logits of fewer words than are read, behind those that never come (src/models/qwen3vl.cpp)."""
    missing = b.needed("token_embd.weight").shape[1] - x.shape[0]
    if missing <= 0:
        return x
    never = same("scale", view(b.needed("output_norm.weight"), 1))
    return concat(repeat(never, missing, x.shape[1]), x, 0)


def decoder_block(b, x, block, traits, skip=None):
    if deepstack_before(b, block):
        x = same("add", x, view(b.deepstack, b.n_embd, b.n_tokens))
    before = x
    bare = b.model.architecture == "modern-bert" and not b.has("attn_norm.weight", block)
    normed = b.norm(x, "attn_norm", block, op=traits.norm) if traits.pre_norm and not bare else x
    early = b.matrix("ffn_gate_inp", x, block) if b.model.architecture == "smallthinker" else None
    x = attention(b, b.norm(x, "attn_norm_2", block, op=traits.norm) if b.has("attn_norm_2.weight", block) else normed, block, traits)
    last = block == b.last_block and not traits.late_outputs and not traits.all_outputs
    if traits.parallel:
        return parallel(b, x, before, normed, block, traits, last), skip
    if last:
        x, before = b.outputs_only(x), b.outputs_only(before)
        normed = b.outputs_only(normed) if b.model.architecture == "stablelm" and not b.has("ffn_norm.weight", block) else normed
        early = b.outputs_only(early) if early is not None else None
        skip = b.outputs_only(skip) if skip is not None else None
    if traits.post_norm:
        x = b.norm(x, "attn_norm", block, op=traits.norm)
    for name in ("post_attention_norm", "attn_output_norm"):
        if b.has(f"{name}.weight", block) and not traits.post_is_pre and b.model.architecture != "dbrx":
            x = b.norm(x, name, block, op=traits.norm)
    if scales_residual(b, traits):
        x = same("scale", x)
    x = same("add", before, x) if b.model.architecture == "openelm" else same("add", x, before)
    between = x
    if b.model.architecture == "arctic":
        return arctic_network(b, x, before, block), skip
    x = before_network(b, x, normed, block, traits)
    x = network(b, x, block, traits, early)
    if traits.post_norm:
        x = b.norm(x, "ffn_norm", block, op=traits.norm)
    for name in ("post_ffw_norm", "layer_output_norm"):
        if b.has(f"{name}.weight", block):
            x = b.norm(x, name, block, op=traits.norm)
            break
    if scales_residual(b, traits):
        x = same("scale", x)
    x = same("add", between, x) if traits.residual_first else same("add", x, between)
    if b.model.architecture in ("qwen3vl", "qwen3vlmoe") and block < b.deepstack_layers():
        x = same("add", x, view(b.deepstack, b.n_embd, b.n_tokens))
    if skip is not None:
        x = same("add", x, same("mul", skip, b.weight("layer_output_scale.weight", block)))
    return x, skip


def deepstack_before(b, block):
    """Whether a block of granite's vision models adds rows of the picture to its input."""
    listed = b.model.hyperparameters.get("deepstack_mapping")
    return b.model.architecture in ("granite", "granite_swa") and block > 0 and isinstance(listed, list) and block < len(listed) and listed[block] >= 0


def scales_residual(b, traits):
    return traits.residual_scale and (b.model.architecture.startswith("minicpm") or b.model.hyperparameters.get("residual_scale"))


def before_network(b, x, normed, block, traits):
    if not traits.pre_norm:
        return x
    for name in ("ffn_norm", "post_attention_norm", "attn_output_norm"):
        if b.has(f"{name}.weight", block):
            return b.norm(x, name, block, op=traits.norm)
    if b.model.architecture == "stablelm":
        return normed
    return same(traits.norm, x)


def parallel(b, x, before, normed, block, traits, last):
    """The network beside attention, on the same input."""
    works_on, order = traits.parallel
    if last:
        x, before = b.outputs_only(x), b.outputs_only(before)
        normed = b.outputs_only(normed) if works_on == "normed" else normed
    y = network(b, normed if works_on == "normed" else b.norm(before, "ffn_norm", block, op=traits.norm), block, traits)
    if order == "inp,attn":
        return same("add", same("add", y, before), x)
    if order == "ffn,inp":
        return same("add", same("add", x, y), before)
    return same("add", same("add", y, x), before)


def uses_rope(b, block, traits):
    rope = traits.rope
    if rope == "all" or block > b.last_block:  # all blocks of next-token prediction
        return True
    if rope == "none":
        return False
    if rope == "window":
        return b.windowed[block]
    if rope == "window_or_lead":
        return b.windowed[block] or block < b.model.integer("leading_dense_block_count", 0)
    if rope == "window_if_any":
        return b.windowed[block] or not any(b.windowed)
    if rope == "baichuan":
        return b.model.n_layer == 32
    if rope == "unless_told":
        return bool(b.model.hyperparameters.get("rope.scaling.finetuned", True))
    if rope == "listed":
        listed = b.model.hyperparameters.get("attention.rope_pattern")
        return bool(listed[block]) if isinstance(listed, list) and block < len(listed) else True
    step = NO_ROPE_STEP[b.model.architecture] if any(b.windowed) or b.model.architecture == "smollm3" else b.model.n_layer
    if rope == "step_from_first":
        return step == b.model.n_layer or block % step != 0
    return (block + 1) % step != 0


def attention(b, x, block, traits):
    architecture = b.model.architecture
    inside = x
    gate = b.matrix("attn_gate", x, block) if b.has("attn_gate.weight", block) and architecture not in ("step35", "spark2_5") else None
    q, k, v = b.qkv(x, block, packed=architecture in PACKED_QKV, clamp=bool(b.model.hyperparameters.get("attention.clamp_kqv")))
    rope = uses_rope(b, block, traits)
    if traits.rope_first and rope:
        q, k = b.rope(q, block), b.rope(k, block)
    q = q_or_k_norm(b, q, "attn_q_norm", block, traits)
    k = same("rms_norm", k) if traits.k_norm else q_or_k_norm(b, k, "attn_k_norm", block, traits)
    if not traits.rope_first and rope:
        q, k = b.rope(q, block), b.rope(k, block)
    if architecture == "llama4":
        if not rope:
            q = same("mul", q, b.given("attn_scale", "f32", 1, 1, b.n_tokens))
        elif b.model.n_layer != 48 or b.model.hyperparameters.get("expert_count") != 128:
            q, k = same("rms_norm", q), same("rms_norm", k)
    if architecture == "mistral3" and b.model.hyperparameters.get("attention.temperature_scale"):
        q = same("mul", q, b.given("attn_scale", "f32", 1, 1, b.n_tokens))
    if traits.q_scale:
        q = same("scale", q)
    sinks = b.weight("attn_sinks.weight", block)
    if not traits.cached:
        return b.attention_without_cache(q, k, v, block)
    sub_norm = b.has("attn_sub_norm.weight", block)
    gated = b.has("attn_gate.weight", block)
    steps = 1 + 2 * (architecture != "grok") if traits.softcap and softcapped(b) else 0
    if architecture == "grok":
        steps = 3 + (3 if softcapped(b) else 0)
    x = b.attention(q, k, v, block, sinks=sinks, softcap=steps, out=None if sub_norm or gated else "attn_output")
    if architecture == "mimo2" and b.model.hyperparameters.get("attention.value_scale"):
        x = same("scale", x)
    if gated:
        x = gated_result(b, x, gate if gate is not None else b.matrix("attn_gate", inside, block), block)
    elif sub_norm:
        x = b.matrix("attn_output", b.norm(x, "attn_sub_norm", block), block)
    return x


def softcapped(b):
    return bool(b.model.hyperparameters.get("attn_logit_softcapping", 50.0))


def gated_result(b, x, gate, block):
    gate = same("unary", gate)
    heads = b.heads[block]
    if gate.shape[0] == heads and x.shape[0] != heads:
        tokens = x.shape[1]
        x = same("mul", reshape(x, x.shape[0] // heads, heads, tokens), reshape(gate, 1, heads, tokens))
        x = reshape(x, x.shape[0] * heads, tokens)
    else:
        x = same("mul", x, gate)
    return b.matrix("attn_output", x, block, bias=False)


def q_or_k_norm(b, x, name, block, traits):
    if not b.has(f"{name}.weight", block):
        return x
    if traits.flat:
        heads = x.shape
        x = x.sources[0] if x.op == "reshape" else reshape(x, heads[0] * heads[1], heads[2])
        return reshape(b.norm(x, name, block, op=traits.norm), *heads[:3])
    return b.norm(x, name, block, op=traits.norm)


def network(b, x, block, traits, early=None):
    """The experts, with shared ones beside them, or the dense network."""
    architecture = b.model.architecture
    if not b.has("ffn_gate_inp.weight", block):
        return dense(b, x, block, traits)
    if architecture == "grovemoe":
        return grove(b, x, block)
    shared = b.has("ffn_up_shexp.weight", block)
    if shared and traits.shared_first:
        y = b.feed_forward(x, block, suffix="_shexp")
        return same("add", routed(b, x, block, traits), y)
    y = routed(b, x, block, traits, early)
    if shared and b.has("ffn_gate_inp_shexp.weight", block):
        gate = b.matrix("ffn_gate_inp_shexp", x, block)
        gate = same("div", same("unary", gate), gate) if architecture == "qwen2moe" else same("unary", gate)
        return same("add", y, same("mul", b.feed_forward(x, block, suffix="_shexp"), gate))
    if shared:
        y = same("add", y, b.feed_forward(x, block, act=traits.act, suffix="_shexp"))
        if traits.scale_shared:
            y = same("scale", y)
    if architecture == "grok" and b.has("ffn_up.weight", block):
        y = same("scale", same("add", b.feed_forward(x, block), y))
    return y


def dense(b, x, block, traits):
    if b.has("ffn_sub_norm.weight", block):
        x = glu(b.matrix("ffn_gate", x, block), b.matrix("ffn_up", x, block))
        return b.matrix("ffn_down", b.norm(x, "ffn_sub_norm", block), block)
    return b.feed_forward(x, block, act=traits.act)


def routed(b, x, block, traits, early=None, act="glu", ids=None):
    hyperparameters = b.model.hyperparameters
    norm_weights = hyperparameters.get("expert_weights_norm", False) if traits.norm_weights is None else traits.norm_weights
    gating = GATING.get(hyperparameters.get("expert_gating_func", 0), "softmax") if traits.gating is None else traits.gating
    return b.experts(
        x, block, gating=gating, norm_weights=norm_weights, scale=hyperparameters.get("expert_weights_scale", 0.0) not in (0.0, 1.0),
        weigh_first=traits.weigh_first, select_from="logits" if traits.weigh_first else "probs", probabilities=early,
        groups=hyperparameters.get("expert_group_count", 0), groups_used=hyperparameters.get("expert_group_used_count", 0),
        clamped=clamps(b, "swiglu_clamp_exp", block), act=act, ids=ids,
    )  # fmt: skip


def clamps(b, key, block):
    """Whether gate and up are clamped one by one; some architectures do it in one operation."""
    limits = b.model.hyperparameters.get(key)
    if b.model.architecture in CLAMPED_AT_ONCE or not limits:
        return False
    return bool(limits[block] if isinstance(limits, list) else limits)


def arctic_network(b, between, before, block):
    """A dense network, and experts that work on the block's input."""
    y = same("add", b.feed_forward(b.norm(between, "ffn_norm", block), block), between)
    x = b.experts(b.norm(before, "ffn_norm_exps", block), block, norm_weights=True)
    return same("add", x, y)


def grove(b, x, block):
    """Experts, and groups of them that share a small one."""
    probabilities = b.matrix("ffn_gate_inp", x, block)
    y = b.experts(x, block, norm_weights=True, probabilities=probabilities, select_from="sigmoid")
    chunks = b.weight("ffn_up_chexps.weight", block).shape[2]
    used = min(b.model.per_layer("expert_used_count")[block], chunks)
    z = b.grouped_experts(y, block, probabilities, used)
    return same("add", y, same("scale", z))
