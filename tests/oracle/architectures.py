# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Models of architectures, and of variants of them, that the other headers of tests/truth do not have: the keys of each.

Sizes are in proportion to those of real models, with few blocks. Keys are without the name of the architecture.
headers.py makes the headers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BASE = {
    "context_length": 131072,
    "embedding_length": 2048,
    "block_count": 8,
    "feed_forward_length": 5632,
    "attention.head_count": 16,
    "attention.head_count_kv": 4,
    "attention.layer_norm_epsilon": 1e-5,
    "attention.layer_norm_rms_epsilon": 1e-5,
    "vocab_size": 32000,
}

OUTPUT = r"^output\.weight"
FUSED = r"attn_qkv\.weight"
QKV_BIAS = r"attn_[qkv]\.bias"
NEXTN = r"nextn\..*\.weight"


@dataclass(frozen=True)
class Made:
    """A model: its architecture, its keys beside those of BASE, and which of the tensors that a model may lack it has."""

    architecture: str
    keys: dict = field(default_factory=dict)
    optional: tuple[str, ...] = (OUTPUT,)
    shapes: dict[str, list[int]] = field(default_factory=dict)


def _experts(count: int = 32, used: int = 4, length: int = 768, shared: int = 0, **more: object) -> dict:
    keys: dict = {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": length}
    if shared:
        keys |= {"expert_shared_count": shared}
    return keys | more


def _every(count: int, period: int, value: int, other: int, first: int = 0) -> list[int]:
    """C(value) in one of C(period) blocks, C(other) in the rest."""
    return [value if block % period == first else other for block in range(count)]


LATENT = {
    "attention.head_count": 32,
    "attention.head_count_kv": 1,
    "attention.q_lora_rank": 768,
    "attention.kv_lora_rank": 512,
    "attention.key_length": 576,
    "attention.value_length": 512,
    "attention.key_length_mla": 192,
    "attention.value_length_mla": 128,
    "rope.dimension_count": 64,
}
FULL_LATENT = {name: value for name, value in LATENT.items() if not name.endswith("_mla")} | {
    "attention.head_count_kv": 32,
    "attention.key_length": 192,
    "attention.value_length": 128,
}
INDEXER = {"attention.indexer.head_count": 32, "attention.indexer.key_length": 128, "attention.indexer.top_k": 2048}
MAMBA2 = {"ssm.conv_kernel": 4, "ssm.inner_size": 4096, "ssm.state_size": 128, "ssm.time_step_rank": 64, "ssm.group_count": 8}
DELTA_NET = {"ssm.conv_kernel": 4, "ssm.inner_size": 4096, "ssm.state_size": 128, "ssm.time_step_rank": 32, "ssm.group_count": 16}
SECTIONS = {"rope.dimension_sections": [24, 20, 20, 0]}
DEEPSEEK_EXPERTS = _experts(64, 6, 768, 2, leading_dense_block_count=1, expert_weights_scale=2.5, expert_weights_norm=True, expert_gating_func=2)
KDA = {"ssm.conv_kernel": 4, "kda.head_dim": 128, "kda.safe_gate": True, "kda.gate_lower_bound": -5.0}
WKV6 = {"wkv.head_size": 64, "time_mix_extra_dim": 32, "time_decay_extra_dim": 64, "attention.head_count": 0, "attention.head_count_kv": 0}
WKV7 = {
    "wkv.head_size": 64,
    "attention.decay_lora_rank": 96,
    "attention.iclr_lora_rank": 96,
    "attention.value_residual_mix_lora_rank": 64,
    "attention.gate_lora_rank": 256,
    "attention.head_count": 0,
    "attention.head_count_kv": 0,
}
BERT = {
    "context_length": 8192,
    "embedding_length": 768,
    "feed_forward_length": 3072,
    "attention.head_count": 12,
    "attention.head_count_kv": 12,
    "attention.causal": False,
    "pooling_type": 1,
    "tokenizer.ggml.token_type_count": 2,
}
DEEPSEEK4 = {
    "attention.head_count": 32,
    "attention.head_count_kv": 1,
    "attention.key_length": 512,
    "attention.value_length": 512,
    "attention.q_lora_rank": 1024,
    "rope.dimension_count": 64,
    "attention.sliding_window": 128,
    "attention.output_group_count": 8,
    "attention.output_lora_rank": 512,
    "attention.compress_rope_freq_base": 160000.0,
    "hyper_connection.count": 4,
    "hyper_connection.sinkhorn_iterations": 20,
    "hyper_connection.epsilon": 1e-6,
    "hash_layer_count": 0,
    "swiglu_clamp_exp": 10.0,
    **INDEXER,
    **(DEEPSEEK_EXPERTS | {"expert_gating_func": 4}),
}
DOTS3NOTE = {
    **LATENT,
    **INDEXER,
    **DEEPSEEK_EXPERTS,
    "attention.sliding_window": 512,
    "attention.sliding_window_pattern": _every(8, 4, 0, 1, first=3),
    "attention.indexer.types": _every(8, 4, 1, 0, first=3),
    "attention.kv_lora_rank_swa": 384,
    "attention.key_length_swa": 448,
    "attention.value_length_swa": 384,
    "attention.key_length_mla_swa": 192,
    "attention.value_length_mla_swa": 128,
    "rope.freq_base_swa": 10000.0,
}
GEMMA4 = {
    "attention.head_count": 8,
    "attention.head_count_kv": _every(12, 6, 1, 4, first=5),
    "block_count": 12,
    "attention.key_length": 512,
    "attention.value_length": 512,
    "attention.key_length_swa": 256,
    "attention.value_length_swa": 256,
    "attention.sliding_window": 1024,
    "attention.sliding_window_pattern": _every(12, 6, 0, 1, first=5),
    "embedding_length_per_layer_input": 0,
    "final_logit_softcapping": 30.0,
}
GRANITE = {"logit_scale": 8.0, "residual_scale": 0.22, "embedding_scale": 12.0, "attention.scale": 0.0078125}
MINIMAX01 = {
    "attention.key_length": 128,
    "attention.value_length": 128,
    "rope.dimension_count": 64,
    "residual_scale": 3.5,
    "feed_forward_length": 1408,
    **_experts(16, 2, 1408),
}
STEP35 = (r"attn_[qk]_norm", "attn_gate", r"blk\.0\.ffn_(gate|up|down)\.weight", r"blk\.[1-9]\.(ffn_(gate_inp|.*exps|.*shexp)\.weight|exp_probs)")
PER_LAYER_HEADS = {"attention.head_count": 16, "attention.head_count_kv": _every(8, 4, 4, 0, first=2)}
NEMOTRON_H = {
    **MAMBA2,
    "block_count": 9,
    "attention.key_length": 128,
    "attention.value_length": 128,
    "attention.head_count": 16,
    "attention.head_count_kv": [0, 0, 0, 4, 0, 0, 0, 4, 0],
    "feed_forward_length": [0, 5632, 0, 0, 5632, 0, 5632, 0, 5632],
}

MODELS: dict[str, Made] = {
    # plain attention
    "apertus": Made("apertus", {"xielu.alpha_n": 0.8, "xielu.alpha_p": 0.8, "xielu.beta": 0.5, "xielu.eps": 1e-6}),
    "arcee": Made("arcee", {"embedding_length": 2560, "attention.head_count": 20, "feed_forward_length": 18432}),
    "arctic": Made("arctic", {**_experts(32, 2), "feed_forward_length": 1792}),
    "bitnet": Made("bitnet", {"feed_forward_length": 6912, "embedding_length": 2560, "attention.head_count": 20, "attention.head_count_kv": 5}),
    "chameleon": Made("chameleon", {"vocab_size": 65536}),
    "deci": Made(
        "deci",
        {
            "attention.head_count": [16, 16, 0, 16, 16, 16, 0, 16],
            "attention.head_count_kv": [4, 4, 0, 0, 8, 4, 0, 2],
            "feed_forward_length": [5632, 2816, 5632, 0, 11264, 5632, 1408, 5632],
            "attention.key_length": 128,
            "attention.value_length": 128,
            "rope.dimension_count": 128,
        },
    ),
    "ernie4_5": Made("ernie4_5", {"feed_forward_length": 3072, "embedding_length": 1024}, ()),
    "ernie4_5-moe-shared": Made(
        "ernie4_5-moe", _experts(64, 6, 1536, 2, interleave_moe_layer_step=1, leading_dense_block_count=1, expert_shared_feed_forward_length=3072), ()
    ),
    "glm4": Made("glm4", {"embedding_length": 4096, "attention.head_count": 32, "attention.head_count_kv": 2, "feed_forward_length": 13696}),
    "glm4moe": Made("glm4moe", {**DEEPSEEK_EXPERTS, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, QKV_BIAS, "attn_[qk]_norm")),
    "granite": Made("granite", GRANITE, ()),
    "granite-loops-deepstack": Made("granite", {**GRANITE, "deepstack_mapping": [-1, 0, -1, 1, -1, -1, 2, -1]}, ()),
    "granitemoe-shared": Made(
        "granitemoe", {**GRANITE, **_experts(32, 4), "feed_forward_length": 768, "expert_shared_feed_forward_length": 1024}, ("ffn_gate_exps",)
    ),
    "hunyuan-dense": Made("hunyuan-dense"),
    "hunyuan_vl": Made("hunyuan_vl", SECTIONS),
    "jais": Made("jais", {"attention.max_alibi_bias": 8.0, "attention.head_count_kv": 16}),
    "llama-tied": Made("llama", {"attention.head_count_kv": 8, "rope.dimension_count": 128}, ("rope_freqs",)),
    "llama-embed": Made("llama-embed", {"rope.dimension_count": 128, "attention.causal": False}),
    "minicpm": Made("minicpm", {"embedding_length": 2304, "attention.head_count": 36, "attention.head_count_kv": 36, "feed_forward_length": 5760}, ()),
    "minicpm-moe": Made("minicpm", {**_experts(8, 2), "feed_forward_length": 1408}, ("ffn_gate_exps",)),
    "minicpm3": Made(
        "minicpm3",
        {
            "attention.head_count": 40,
            "attention.head_count_kv": 40,
            "embedding_length": 2560,
            "feed_forward_length": 6400,
            "attention.q_lora_rank": 768,
            "attention.kv_lora_rank": 256,
            "attention.key_length": 96,
            "attention.value_length": 64,
            "rope.dimension_count": 32,
        },
        ("rope_factors",),
    ),
    "mistral4": Made("mistral4", {**LATENT, **DEEPSEEK_EXPERTS}),
    "mistral4-legacy": Made("mistral4", {**FULL_LATENT, **DEEPSEEK_EXPERTS}),
    "nanbeige-loops": Made("nanbeige", {"num_loops": 2, "block_count": 6}),
    "nemotron": Made("nemotron", {"embedding_length": 3072, "attention.head_count": 24, "attention.head_count_kv": 8, "feed_forward_length": 9216}),
    "olmo": Made("olmo", {"attention.head_count_kv": 16, "feed_forward_length": 8192}, ()),
    "olmoe": Made("olmoe", {**_experts(64, 8), "feed_forward_length": 1024, "attention.head_count_kv": 16}),
    "paddleocr": Made("paddleocr", {**SECTIONS, "embedding_length": 1024, "feed_forward_length": 3072}),
    "phi2": Made(
        "phi2",
        {"embedding_length": 2560, "attention.head_count": 32, "attention.head_count_kv": 32, "feed_forward_length": 10240, "rope.dimension_count": 32},
        (FUSED, r"attn_qkv\.bias"),
    ),
    "phi3": Made(
        "phi3",
        {"embedding_length": 3072, "attention.head_count": 32, "attention.head_count_kv": 32, "feed_forward_length": 8192, "attention.sliding_window": 2047},
        (OUTPUT, FUSED, "rope_factors"),
    ),
    "plamo": Made("plamo", {"attention.head_count": 16, "attention.head_count_kv": 4}),
    "plm": Made(
        "plm",
        {"attention.kv_lora_rank": 512, "attention.key_length": 192, "attention.value_length": 128, "rope.dimension_count": 64, "attention.head_count_kv": 16},
        (),
    ),
    "qwen": Made("qwen", {"feed_forward_length": 11008, "attention.head_count_kv": 16}),
    "qwen2": Made("qwen2", {"embedding_length": 1536, "attention.head_count": 12, "attention.head_count_kv": 2, "feed_forward_length": 8960}, (QKV_BIAS,)),
    "qwen2-large-output": Made("qwen2", {"vocab_size": 152064}, (OUTPUT, QKV_BIAS)),
    "qwen2moe": Made("qwen2moe", {**_experts(60, 4, 1408), "expert_shared_feed_forward_length": 5632}, (OUTPUT, QKV_BIAS)),
    "qwen2vl": Made("qwen2vl", {"rope.dimension_sections": [16, 24, 24, 0]}, (OUTPUT, QKV_BIAS)),
    "qwen3-tied": Made("qwen3", {"attention.key_length": 128, "attention.value_length": 128, "embedding_length": 1024, "feed_forward_length": 3072}, ()),
    "qwen3vlmoe": Made("qwen3vlmoe", {**SECTIONS, **_experts(64, 8), "n_deepstack_layers": 3}),
    "refact": Made("refact", {"attention.head_count_kv": 1}),
    "smollm3": Made("smollm3", {"feed_forward_length": 11008}, ()),
    "starcoder-multi-query": Made("starcoder", {"context_length": 8192, "attention.head_count_kv": 1, "feed_forward_length": 8192}),
    "gptneox-parallel": Made(
        "gptneox", {"use_parallel_residual": True, "attention.head_count_kv": 16, "rope.dimension_count": 32}, (OUTPUT, FUSED, r"attn_qkv\.bias")
    ),
    "stablelm-parallel": Made("stablelm", {"use_parallel_residual": True, "rope.dimension_count": 32}, (OUTPUT, "ffn_norm", "attn_[qk]_norm")),
    "falcon-two-norms": Made("falcon", {"attention.head_count_kv": 2}, (OUTPUT, FUSED, "attn_norm_2")),
    "command-r-norms": Made(
        "command-r",
        {
            "block_count": 64,
            "embedding_length": 1024,
            "feed_forward_length": 2816,
            "attention.head_count": 8,
            "attention.head_count_kv": 8,
            "logit_scale": 0.0625,
        },
        (),
    ),
    "bloom-large": Made("bloom", {"attention.head_count_kv": 16, "feed_forward_length": 8192}, (OUTPUT, FUSED, r"attn_qkv\.bias")),
    "mpt-large": Made("mpt", {"attention.head_count_kv": 16, "feed_forward_length": 8192, "attention.max_alibi_bias": 8.0}, (FUSED,)),
    "grok-softcap": Made(
        "grok",
        {
            **_experts(8, 2, 2816),
            "attn_logit_softcapping": 30.0,
            "attention.output_scale": 0.08,
            "router_logit_softcapping": 30.0,
            "logit_scale": 0.57,
            "embedding_scale": 78.0,
        },
    ),
    "dbrx-large": Made("dbrx", {**_experts(16, 4), "feed_forward_length": 1792, "attention.clamp_kqv": 8.0}, (FUSED,)),
    "mellum": Made("mellum", {**_experts(64, 8), "attention.sliding_window": 1024}),
    "mellum-dense-attention": Made("mellum", _experts(64, 8)),
    # latent attention
    "deepseek2-mla": Made("deepseek2", {**LATENT, **DEEPSEEK_EXPERTS}),
    "deepseek2-mla-nextn": Made("deepseek2", {**LATENT, **DEEPSEEK_EXPERTS, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, NEXTN)),
    "deepseek2-legacy": Made("deepseek2", {**FULL_LATENT, **DEEPSEEK_EXPERTS}),
    "deepseek2-ocr": Made("deepseek2-ocr", {**DEEPSEEK_EXPERTS, "attention.head_count_kv": 16}),
    "deepseek32-nextn": Made("deepseek32", {**LATENT, **INDEXER, **DEEPSEEK_EXPERTS, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, NEXTN)),
    "glm-dsa-own-indexers": Made("glm-dsa", {**LATENT, **INDEXER, **DEEPSEEK_EXPERTS, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, NEXTN, "indexer")),
    "glm-dsa-shared-indexers": Made(
        "glm-dsa",
        {**LATENT, **INDEXER, **DEEPSEEK_EXPERTS, "block_count": 13, "nextn_predict_layers": 1, "context_length": 1048576},
        (OUTPUT, NEXTN, "indexer"),
    ),
    "hy_v4": Made(
        "hy_v4",
        {
            **LATENT,
            **INDEXER,
            **DEEPSEEK_EXPERTS,
            "hyper_connection.count": 4,
            "hyper_connection.epsilon": 1e-6,
            "hyper_connection.magnitude": 2.0,
            "swiglu_clamp_exp": 10.0,
            "attention.indexer.types": _every(8, 4, 1, 0),
        },
    ),
    "hy_v4-full-attention": Made(
        "hy_v4",
        {
            **LATENT,
            **DEEPSEEK_EXPERTS,
            "hyper_connection.count": 4,
            "hyper_connection.epsilon": 1e-6,
            "hyper_connection.magnitude": 2.0,
            "swiglu_clamp_exp": 10.0,
        },
    ),
    "deepseek4": Made("deepseek4", {**DEEPSEEK4, "attention.compress_ratios": [0, 0, 4, 128, 4, 128, 4, 128]}),
    "deepseek4-nextn": Made(
        "deepseek4", {**DEEPSEEK4, "block_count": 9, "nextn_predict_layers": 1, "attention.compress_ratios": [0, 0, 4, 128, 4, 128, 4, 128, 0]}, (OUTPUT, NEXTN)
    ),
    "dots3note": Made("dots3note", DOTS3NOTE),
    # sliding windows
    "cohere2moe": Made("cohere2moe", {**DEEPSEEK_EXPERTS, "attention.sliding_window": 4096, "logit_scale": 0.25}, ()),
    "cohere2moe-nextn": Made(
        "cohere2moe", {**DEEPSEEK_EXPERTS, "attention.sliding_window": 4096, "logit_scale": 0.25, "block_count": 9, "nextn_predict_layers": 1}, (NEXTN,)
    ),
    "exaone4": Made("exaone4", {"rope.dimension_count": 128}),
    "exaone4-windows": Made(
        "exaone4",
        {
            "block_count": 64,
            "embedding_length": 1024,
            "attention.head_count": 8,
            "attention.head_count_kv": 2,
            "feed_forward_length": 2816,
            "attention.sliding_window": 4096,
        },
    ),
    "exaone-moe": Made("exaone-moe", {**DEEPSEEK_EXPERTS, "attention.sliding_window": 128, "expert_shared_feed_forward_length": 768}),
    "exaone-moe-nextn": Made(
        "exaone-moe",
        {**DEEPSEEK_EXPERTS, "attention.sliding_window": 128, "expert_shared_feed_forward_length": 768, "block_count": 9, "nextn_predict_layers": 1},
    ),
    "gemma2-small": Made(
        "gemma2",
        {"attention.sliding_window": 4096, "attention.key_length": 256, "attention.value_length": 256, "attention.head_count": 8, "vocab_size": 256000},
        (),
    ),
    "gemma3-windows-off": Made(
        "gemma3",
        {"attention.key_length": 256, "attention.value_length": 256, "attention.head_count": 4, "attention.head_count_kv": 1, "embedding_length": 1152},
        (),
    ),
    "gemma3-small": Made(
        "gemma3",
        {
            "attention.key_length": 256,
            "attention.value_length": 256,
            "attention.head_count": 4,
            "attention.head_count_kv": 1,
            "embedding_length": 1152,
            "feed_forward_length": 6912,
            "attention.sliding_window": 512,
            "vocab_size": 262144,
            "block_count": 13,
        },
        (),
    ),
    "gemma3n": Made(
        "gemma3n",
        {
            "block_count": 30,
            "attention.head_count": 8,
            "attention.head_count_kv": 2,
            "attention.key_length": 256,
            "attention.value_length": 256,
            "feed_forward_length": 8192,
            "attention.sliding_window": 512,
            "vocab_size": 262144,
        },
        (),
    ),
    "gemma4": Made("gemma4", GEMMA4, ()),
    "gemma4-moe": Made("gemma4", {**GEMMA4, **_experts(64, 8, 704), "feed_forward_length": 2112}, ("ffn_gate_inp", "_exps", "post_ffw_norm_", "pre_ffw_norm_")),
    "gemma4-per-layer": Made(
        "gemma4",
        {
            **GEMMA4,
            "embedding_length_per_layer_input": 256,
            "attention.shared_kv_layers": 6,
            "attention.head_count_kv": 2,
            "vocab_size": 262144,
            "feed_forward_length": [6144] * 6 + [12288] * 6,
        },
        ("attn_v",),
    ),
    "gpt-oss-large": Made(
        "gpt-oss",
        {
            **_experts(32, 4, 2880),
            "embedding_length": 2880,
            "attention.head_count": 64,
            "attention.head_count_kv": 8,
            "attention.key_length": 64,
            "attention.value_length": 64,
            "attention.sliding_window": 128,
        },
        (OUTPUT, "bias"),
    ),
    "granite_swa": Made("granite_swa", {**GRANITE, "attention.sliding_window": 1024, "attention.sliding_window_pattern": _every(8, 4, 0, 1, first=3)}, ()),
    "granite_swa-moe": Made(
        "granite_swa",
        {
            **GRANITE,
            **_experts(32, 4),
            "feed_forward_length": 768,
            "expert_shared_feed_forward_length": 1024,
            "attention.sliding_window": 1024,
            "attention.sliding_window_pattern": _every(8, 4, 0, 1, first=3),
        },
        (),
    ),
    "spark2_5": Made("spark2_5", {"attention.sliding_window": 1024, "attention.sliding_window_pattern": _every(8, 4, 0, 1, first=3)}),
    "step35": Made(
        "step35",
        {
            **DEEPSEEK_EXPERTS,
            "expert_shared_feed_forward_length": 1280,
            "attention.key_length": 128,
            "attention.value_length": 128,
            "attention.sliding_window": 512,
            "attention.sliding_window_pattern": _every(8, 4, 0, 1),
            "attention.head_count": _every(8, 4, 16, 24),
            "rope.freq_base_swa": 10000.0,
        },
        (OUTPUT, *STEP35),
    ),
    "step35-nextn": Made(
        "step35",
        {
            **DEEPSEEK_EXPERTS,
            "expert_shared_feed_forward_length": 1280,
            "attention.key_length": 128,
            "attention.value_length": 128,
            "attention.sliding_window": 512,
            "block_count": 9,
            "nextn_predict_layers": 1,
            "attention.sliding_window_pattern": _every(9, 4, 0, 1),
            "attention.head_count": _every(9, 4, 16, 24),
            "rope.freq_base_swa": 10000.0,
        },
        (OUTPUT, *STEP35, NEXTN),
    ),
    "lfm2-windows": Made("lfm2", {"shortconv.l_cache": 3, **PER_LAYER_HEADS, "attention.sliding_window": 2048}, ()),
    "phi3-long": Made(
        "phi3",
        {"embedding_length": 3072, "attention.head_count": 24, "attention.head_count_kv": 8, "feed_forward_length": 8192, "vocab_size": 200064},
        (FUSED, "rope_factors"),
    ),
    # recurrent and hybrid
    "arwkv7": Made("arwkv7", {**WKV7, "token_shift_count": 1}, (r"time_mix_g[12]",)),
    "rwkv6": Made("rwkv6", {**WKV6, "feed_forward_length": 7168, "rescale_every_n_layers": 6}, (r"lerp_[wkvrg]\.",)),
    "rwkv6qwen2": Made("rwkv6qwen2", {**WKV6, "token_shift_count": 1, "attention.head_count_kv": 4}, (OUTPUT,)),
    "rwkv7": Made("rwkv7", {**WKV7, "feed_forward_length": 8192}, (r"time_mix_g[12]",)),
    "mamba-large": Made(
        "mamba",
        {
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 4096,
            "ssm.state_size": 16,
            "ssm.time_step_rank": 128,
            "attention.head_count": 0,
            "attention.head_count_kv": 0,
            "feed_forward_length": 0,
        },
        (),
    ),
    "mamba2-small": Made("mamba2", {**MAMBA2, "attention.head_count": 0, "attention.head_count_kv": 0, "feed_forward_length": 0}, ()),
    "jamba-experts": Made(
        "jamba",
        {"ssm.conv_kernel": 4, "ssm.inner_size": 4096, "ssm.state_size": 16, "ssm.time_step_rank": 128, **PER_LAYER_HEADS, **_experts(16, 2)},
        (r"blk\.[1357]\.ffn_(gate_inp|.*_exps)\.weight", r"blk\.[0246]\.ffn_(gate|up|down)\.weight"),
    ),
    "lfm2moe": Made("lfm2moe", {"shortconv.l_cache": 3, **PER_LAYER_HEADS, **_experts(32, 4, 1792, leading_dense_block_count=2, expert_gating_func=2)}, ()),
    "minimax-01": Made("minimax-01", {**MINIMAX01, "full_attention_interval": 4}, (OUTPUT, "ffn_gate_exps")),
    "minimax-01-by-default": Made("minimax-01", {**MINIMAX01, "block_count": 16}, (OUTPUT, "ffn_gate_exps")),
    "nemotron_h": Made("nemotron_h", NEMOTRON_H, (OUTPUT, r"ssm_conv1d\.bias")),
    "nemotron_h_moe-latent": Made(
        "nemotron_h_moe",
        {
            **NEMOTRON_H,
            **_experts(64, 6, 1856, 1, expert_shared_feed_forward_length=3712, expert_weights_norm=True, expert_weights_scale=2.5),
            "moe_latent_size": 1024,
        },
        (OUTPUT, "latent", r"ssm_conv1d\.bias"),
    ),
    "plamo2": Made(
        "plamo2",
        {
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 4096,
            "ssm.state_size": 64,
            "ssm.time_step_rank": 64,
            "ssm.group_count": 0,
            "attention.key_length": 128,
            "attention.value_length": 128,
            "attention.head_count": _every(8, 2, 16, 0, first=1),
            "attention.head_count_kv": _every(8, 2, 4, 0, first=1),
            "feed_forward_length": 8192,
        },
    ),
    "qwen35": Made(
        "qwen35",
        {
            **DELTA_NET,
            "rope.dimension_sections": [11, 11, 10, 0],
            "attention.key_length": 256,
            "attention.value_length": 256,
            "rope.dimension_count": 64,
            "attention.head_count": 8,
            "attention.head_count_kv": 2,
        },
        (OUTPUT, FUSED, r"attn_gate\.weight"),
    ),
    "qwen35-nextn": Made(
        "qwen35",
        {
            **DELTA_NET,
            "rope.dimension_sections": [11, 11, 10, 0],
            "attention.key_length": 256,
            "attention.value_length": 256,
            "rope.dimension_count": 64,
            "attention.head_count": 8,
            "attention.head_count_kv": 2,
            "block_count": 9,
            "nextn_predict_layers": 1,
        },
        (FUSED, r"attn_gate\.weight"),
    ),
    "qwen35moe": Made(
        "qwen35moe",
        {
            **DELTA_NET,
            **_experts(64, 8, 512),
            "expert_shared_feed_forward_length": 512,
            "rope.dimension_sections": [11, 11, 10, 0],
            "attention.key_length": 256,
            "attention.value_length": 256,
            "rope.dimension_count": 64,
            "attention.head_count_kv": 2,
        },
        (OUTPUT, FUSED, r"attn_gate\.weight"),
    ),
    "qwen35moe-nextn": Made(
        "qwen35moe",
        {
            **DELTA_NET,
            **_experts(64, 8, 512),
            "expert_shared_feed_forward_length": 512,
            "rope.dimension_sections": [11, 11, 10, 0],
            "attention.key_length": 256,
            "attention.value_length": 256,
            "rope.dimension_count": 64,
            "attention.head_count_kv": 2,
            "block_count": 9,
            "nextn_predict_layers": 1,
        },
        (OUTPUT, FUSED, r"attn_gate\.weight"),
    ),
    # encoders and diffusion
    "bert": Made("bert", {**BERT, "context_length": 512, "vocab_size": 30522}, (QKV_BIAS, "token_types")),
    "eurobert": Made("eurobert", {**BERT, "attention.head_count_kv": 4}, ()),
    "gemma-embedding": Made(
        "gemma-embedding",
        {
            **BERT,
            "attention.head_count": 3,
            "attention.head_count_kv": 1,
            "attention.key_length": 256,
            "attention.value_length": 256,
            "attention.sliding_window": 512,
        },
        (),
    ),
    "jina-bert-v2": Made("jina-bert-v2", BERT, (QKV_BIAS, "ffn_gate", "token_types")),
    "jina-bert-v3": Made("jina-bert-v3", BERT, (FUSED, r"attn_qkv\.bias", "token_types", r"ffn_.*\.bias", r"attn_output\.bias")),
    "modern-bert": Made("modern-bert", {**BERT, "attention.sliding_window": 128}, (FUSED,)),
    "neo-bert": Made("neo-bert", BERT, (FUSED,)),
    "nomic-bert": Made("nomic-bert", BERT, (FUSED, "token_types")),
    "nomic-bert-moe": Made(
        "nomic-bert-moe", {**BERT, **_experts(8, 2), "moe_every_n_layers": 2}, (FUSED, r"attn_qkv\.bias", "token_types", r"ffn_.*\.bias", r"attn_output\.bias")
    ),
    "llada-moe": Made("llada-moe", _experts(64, 8)),
    "t5": Made(
        "t5",
        {
            "attention.relative_buckets_count": 32,
            "decoder_block_count": 6,
            "attention.key_length": 64,
            "attention.value_length": 64,
            "attention.head_count_kv": 16,
            "embedding_length": 1024,
            "feed_forward_length": 2816,
        },
        (OUTPUT, "ffn_gate", r"blk\.0\.attn_rel_b"),
    ),
    "t5encoder": Made(
        "t5encoder",
        {
            "attention.relative_buckets_count": 32,
            "attention.key_length": 64,
            "attention.value_length": 64,
            "attention.head_count_kv": 16,
            "embedding_length": 1024,
            "feed_forward_length": 2816,
        },
        ("ffn_gate", r"blk\.0\.attn_rel_b"),
    ),
    # drafts; gemma4-assistant needs the context of the model that it drafts for
    "eagle3": Made("eagle3", {"block_count": 1, "target_layers": [2, 16, 29], "target_hidden_size": 2048}, (OUTPUT,), {"token_embd.weight": [2048, 32000]}),
    "dflash": Made("dflash", {"block_count": 5, "target_layers": [1, 9, 17, 25, 33], "block_size": 16}, (OUTPUT, "token_embd", "attn_v")),
    "dflash-windows": Made(
        "dflash",
        {
            "block_count": 5,
            "target_layers": [1, 9, 17, 25, 33],
            "block_size": 16,
            "attention.sliding_window": 2048,
            "attention.sliding_window_pattern": [1, 1, 1, 1, 0],
        },
        (OUTPUT, "token_embd", "attn_v"),
    ),
    # others
    "graniteswitch": Made(
        "graniteswitch",
        {**GRANITE, "adapters.count": 3, "adapters.lora_rank": 16, "adapters.token_ids_activate": [100, 101, 102], "adapters.token_ids_substitute": [1, 2, 3]},
        (),
    ),
    "qwen3tts": Made("qwen3tts", SECTIONS),
    "pockettts-large": Made("pockettts", {"attention.head_count_kv": 16}, (FUSED,)),
    # next-token prediction
    "bailingmoe2-nextn": Made("bailingmoe2", {**DEEPSEEK_EXPERTS, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, NEXTN)),
    "exaone4-nextn": Made("exaone4", {"rope.dimension_count": 128, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, NEXTN)),
    "glm4-nextn": Made("glm4", {"attention.head_count_kv": 2, "block_count": 9, "nextn_predict_layers": 1}, (OUTPUT, NEXTN)),
    "hy_v3-nextn": Made(
        "hy_v3",
        {**DEEPSEEK_EXPERTS, "expert_shared_feed_forward_length": 768, "block_count": 9, "nextn_predict_layers": 1},
        (OUTPUT, NEXTN, r"blk\.0\.ffn_(gate|up|down)\.weight", r"blk\.[1-9]\.(ffn_(gate_inp|(gate|up|down)_exps|.*shexp)\.weight|exp_probs)"),
    ),
    "mimo2-nextn": Made(
        "mimo2",
        {
            **DEEPSEEK_EXPERTS,
            "attention.sliding_window": 128,
            "attention.sliding_window_pattern": _every(10, 4, 0, 1, first=3),
            "attention.key_length": 192,
            "attention.value_length": 128,
            "rope.dimension_count": 64,
            "attention.head_count_kv": _every(10, 4, 4, 8, first=3),
            "block_count": 10,
            "nextn_predict_layers": 2,
        },
        (OUTPUT, NEXTN, FUSED, "attn_sinks", r"blk\.[089]\.ffn_(gate|up|down)\.weight", r"blk\.[1-7]\.(ffn_(gate_inp|.*exps)\.weight|exp_probs)"),
    ),
    "glm5-next-nextn": Made(
        "glm5-next",
        {
            **LATENT,
            **INDEXER,
            **DEEPSEEK_EXPERTS,
            **KDA,
            "attention.key_length": 512,
            "rope.dimension_count": 0,
            "attention.head_count_kv": _every(9, 4, 1, 0, first=0),
            "block_count": 9,
            "nextn_predict_layers": 1,
            "hyper_connection.count": 4,
            "hyper_connection.sinkhorn_iterations": 4,
            "hyper_connection.epsilon": 1e-6,
            "hyper_connection.low_rank": 64,
            "attention.indexer.kpool": 4,
            "attention.indexer.kpool_select_tail": True,
            "attention.indexer.local_blocks": 1,
            "attention.indexer.block_size": 4,
        },
        (OUTPUT, NEXTN, "conv1d"),
    ),
    "bailingmoe3-nextn": Made(
        "bailingmoe3",
        {
            **LATENT,
            **DEEPSEEK_EXPERTS,
            **KDA,
            "attention.head_count_kv": _every(9, 4, 1, 0, first=0),
            "block_count": 9,
            "nextn_predict_layers": 1,
            "rope.dimension_sections": [8, 12, 12, 0],
        },
        (OUTPUT, NEXTN),
    ),
    "nemotron_h_moe-nextn": Made(
        "nemotron_h_moe",
        {
            **NEMOTRON_H,
            **_experts(64, 6, 1856, 1, expert_shared_feed_forward_length=3712, expert_weights_norm=True, expert_weights_scale=2.5),
            "block_count": 10,
            "nextn_predict_layers": 1,
            "attention.head_count_kv": [0, 0, 0, 4, 0, 0, 0, 4, 0, 4],
            "feed_forward_length": [0, 5632, 0, 0, 5632, 0, 5632, 0, 5632, 0],
        },
        (OUTPUT, NEXTN, r"ssm_conv1d\.bias"),
    ),
    "qwen3next-nextn": Made(
        "qwen3next",
        {
            **DELTA_NET,
            **_experts(64, 8, 512),
            "expert_shared_feed_forward_length": 512,
            "attention.key_length": 256,
            "attention.value_length": 256,
            "rope.dimension_count": 64,
            "attention.head_count_kv": 2,
            "block_count": 9,
            "nextn_predict_layers": 1,
        },
        (OUTPUT, NEXTN, FUSED, r"attn_gate\.weight"),
    ),
    "dots3note-nextn": Made(
        "dots3note",
        {
            **DOTS3NOTE,
            "block_count": 9,
            "nextn_predict_layers": 1,
            "attention.sliding_window_pattern": _every(9, 4, 0, 1, first=3),
            "attention.indexer.types": _every(9, 4, 1, 0, first=3),
        },
        (OUTPUT, NEXTN),
    ),
    # those of llama.cpp's own tests, in the proportions of real models
    "afmoe": Made("afmoe", {**DEEPSEEK_EXPERTS, "attention.sliding_window": 2048, "expert_shared_feed_forward_length": 768}),
    "baichuan": Made("baichuan", {"attention.head_count_kv": 16}),
    "bailingmoe": Made("bailingmoe", {**DEEPSEEK_EXPERTS, "expert_shared_feed_forward_length": 1536}),
    "bailingmoe2": Made("bailingmoe2", {**DEEPSEEK_EXPERTS, "expert_shared_feed_forward_length": 768}),
    "chatglm": Made("chatglm", {"attention.head_count_kv": 2, "rope.dimension_count": 64}, (OUTPUT, FUSED, r"attn_qkv\.bias")),
    "codeshell": Made("codeshell", {"feed_forward_length": 8192}, (OUTPUT, "token_embd", FUSED, r"attn_qkv\.bias")),
    "cogvlm": Made("cogvlm", {"attention.head_count_kv": 16}, (OUTPUT, FUSED)),
    "cohere2": Made("cohere2", {"attention.sliding_window": 4096, "logit_scale": 0.25}, ()),
    "deepseek": Made("deepseek", {**DEEPSEEK_EXPERTS, "attention.head_count_kv": 16}),
    "dots1": Made("dots1", {**DEEPSEEK_EXPERTS, "attention.head_count_kv": 16}),
    "dream": Made("dream", {}, (OUTPUT, QKV_BIAS)),
    "exaone": Made("exaone", {}),
    "falcon-h1": Made("falcon-h1", {**MAMBA2, "ssm.group_count": 1, "attention.key_length": 128, "attention.value_length": 128}, (OUTPUT, r"ssm_conv1d\.bias")),
    "gemma": Made(
        "gemma",
        {
            "attention.key_length": 256,
            "attention.value_length": 256,
            "attention.head_count": 8,
            "attention.head_count_kv": 1,
            "feed_forward_length": 16384,
            "vocab_size": 256000,
        },
        (),
    ),
    "gpt2": Made("gpt2", {"context_length": 4096, "attention.head_count_kv": 16, "feed_forward_length": 8192}, (OUTPUT, FUSED, r"attn_qkv\.bias")),
    "granitehybrid": Made("granitehybrid", {**GRANITE, **MAMBA2, "ssm.group_count": 1, **PER_LAYER_HEADS}, (OUTPUT, r"ssm_conv1d\.bias")),
    "granitehybrid-experts": Made(
        "granitehybrid",
        {
            **GRANITE,
            **MAMBA2,
            "ssm.group_count": 1,
            **PER_LAYER_HEADS,
            **_experts(32, 4),
            "feed_forward_length": 768,
            "expert_shared_feed_forward_length": 1024,
        },
        (r"ssm_conv1d\.bias", "ffn_gate_exps"),
    ),
    "grovemoe": Made("grovemoe", {**_experts(64, 8), "expert_chunk_feed_forward_length": 128, "expert_group_scale": 0.05, "experts_per_group": 2}),
    "hrm_text": Made("hrm_text", {"hrm.layers_per_stack": 1, "hrm.h_cycles": 2, "hrm.l_cycles": 2, "block_count": 6}),
    "hunyuan-moe": Made("hunyuan-moe", {**_experts(32, 4), "expert_shared_feed_forward_length": 3072}),
    "hy_v3": Made(
        "hy_v3",
        {**DEEPSEEK_EXPERTS, "expert_shared_feed_forward_length": 768},
        (OUTPUT, r"blk\.0\.ffn_(gate|up|down)\.weight", r"blk\.[1-9]\.(ffn_(gate_inp|(gate|up|down)_exps|.*shexp)\.weight|exp_probs)"),
    ),
    "internlm2": Made("internlm2", {}),
    "jais2": Made("jais2", {"attention.head_count_kv": 16}),
    "kimi-k3": Made(
        "kimi-k3",
        {
            **LATENT,
            **DEEPSEEK_EXPERTS,
            **KDA,
            "attention.head_count_kv": _every(8, 4, 1, 0),
            "attn_res.block_size": 12,
            "activation.situ_beta": 4.0,
            "activation.situ_linear_beta": 25.0,
            "expert_latent_length": 1024,
        },
    ),
    "kimi-linear": Made("kimi-linear", {**LATENT, **DEEPSEEK_EXPERTS, **KDA, "attention.head_count_kv": _every(8, 4, 1, 0)}, (OUTPUT, "ssm_conv1d")),
    "laguna": Made(
        "laguna",
        {
            **DEEPSEEK_EXPERTS,
            "attention.sliding_window": 512,
            "expert_shared_feed_forward_length": 768,
            "attention.key_length": 128,
            "attention.value_length": 128,
        },
    ),
    "llada": Made("llada", {"attention.head_count_kv": 16}),
    "maincoder": Made("maincoder", {}),
    "maple": Made(
        "maple", {**DEEPSEEK_EXPERTS, "attention.sliding_window": 512, "attention.sliding_window_pattern": _every(8, 4, 0, 1, first=3), "swiglu_clamp_exp": 7.0}
    ),
    "minimax-m2": Made(
        "minimax-m2", {**_experts(64, 8, expert_gating_func=2), "attention.key_length": 128, "attention.value_length": 128, "rope.dimension_count": 64}
    ),
    "minimax-m3": Made(
        "minimax-m3",
        {
            **INDEXER,
            **DEEPSEEK_EXPERTS,
            "attention.indexer.head_count": 4,
            "attention.indexer.block_size": 128,
            "attention.indexer.local_blocks": 1,
            "rope.dimension_count": 64,
        },
    ),
    "muse-glimmer": Made("muse-glimmer", {"attention.sliding_window": 512, "logit_scale": 0.5}),
    "olmo2": Made("olmo2", {"attention.head_count_kv": 16, "feed_forward_length": 11008}),
    "olmo2-windows": Made("olmo2", {"attention.sliding_window": 4096}),
    "openelm": Made(
        "openelm",
        {
            "attention.head_count": [12, 12, 12, 16, 16, 16, 20, 20],
            "attention.head_count_kv": [3, 3, 3, 4, 4, 4, 5, 5],
            "attention.key_length": 128,
            "attention.value_length": 128,
            "feed_forward_length": [1024, 2048, 2560, 3072, 4096, 5120, 6144, 8192],
        },
        (),
    ),
    "orion": Made("orion", {"attention.head_count_kv": 16}),
    "pangu-embedded": Made("pangu-embedded", {}),
    "phimoe": Made("phimoe", {**_experts(16, 2), "feed_forward_length": 1792}),
    "plamo3": Made("plamo3", {"attention.sliding_window": 2048, "attention.key_length": 128, "attention.value_length": 128}),
    "qwen3vl": Made("qwen3vl", {**SECTIONS, "n_deepstack_layers": 3}),
    "qwen4exp": Made(
        "qwen4exp",
        {
            **DELTA_NET,
            **INDEXER,
            **_experts(64, 8, 512),
            "expert_shared_feed_forward_length": 512,
            "attention.key_length": 128,
            "attention.value_length": 128,
            "rope.dimension_count": 64,
            "attention.head_count_kv": 2,
            "rope.dimension_sections": [11, 11, 10, 0],
            "hyper_connection.count": 4,
            "hyper_connection.sinkhorn_iterations": 4,
            "hyper_connection.epsilon": 1e-6,
            "hyper_connection.low_rank": 64,
            "attention.compress_ratios": [4] * 8,
            "attention.indexer.block_size": 4,
            "attention.indexer.local_blocks": 1,
        },
    ),
    "rnd1": Made("rnd1", _experts(64, 8)),
    "seed_oss": Made("seed_oss", {"attention.key_length": 128, "attention.value_length": 128}, (OUTPUT, QKV_BIAS)),
    "smallthinker": Made("smallthinker", {**_experts(32, 4, expert_gating_func=2), "attention.sliding_window": 4096}),
    "starcoder2": Made("starcoder2", {"attention.head_count_kv": 2, "feed_forward_length": 8192}),
    "talkie": Made("talkie", {"logit_scale": 0.5}),
    "xverse": Made("xverse", {"attention.head_count_kv": 16}),
}
