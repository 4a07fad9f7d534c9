# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kind of cache an architecture has.

A kind is one module or several, each with C(cache(model, settings)), the bytes for each block.

Source: src/llama-model.cpp, llama_model::create_memory; src/llama-arch.cpp (llm_arch_is_recurrent, llm_arch_is_hybrid);
load_arch_hparams in src/models/*.cpp for sliding windows and latent attention.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from . import attention, compressed, hybrid, indexer, latent, next_token, none, recurrent, refused, sliding_window

NO_CACHE = frozenset(
    "bert dream eurobert gemma-embedding jina-bert-v2 jina-bert-v3 llada llada-moe modern-bert neo-bert nomic-bert nomic-bert-moe rnd1".split()
)

PLAIN_ATTENTION = frozenset(
    """apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell cogvlm command-r dbrx deci
    deepseek dots1 eagle3 ernie4_5 ernie4_5-moe exaone falcon gemma glm4 glm4moe gpt2 gptneox granite granitemoe graniteswitch grok
    grovemoe hrm_text hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 llama llama-embed maincoder minicpm minicpm3 minimax-m2 mistral3
    mpt nanbeige nemotron olmo olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plm pockettts qwen qwen2 qwen2moe
    qwen2vl qwen3 qwen3moe qwen3tts qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm starcoder starcoder2 t5 t5encoder talkie xverse""".split()
)
"""Every block attends to the whole context with K and V of its own."""

RECURRENT = frozenset({"arwkv7", "mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7"})

KINDS = {
    **dict.fromkeys(PLAIN_ATTENTION, (attention,)),
    **dict.fromkeys(sliding_window.PATTERNS, (sliding_window,)),
    **dict.fromkeys(NO_CACHE, (none,)),
    **dict.fromkeys(("deepseek2", "deepseek2-ocr", "mistral4"), (latent,)),
    **dict.fromkeys(("deepseek32", "glm-dsa", "hy_v4"), (latent, indexer)),
    **dict.fromkeys(RECURRENT, (recurrent,)),
    **dict.fromkeys(hybrid.ARCHITECTURES, (hybrid,)),
    **dict.fromkeys(("glm5-next", "qwen4exp"), (hybrid, indexer)),
    "minimax-m3": (attention, indexer),
    "dots3note": (sliding_window, indexer),
    "deepseek4": (compressed,),
}


def cache(model, settings):
    """Bytes of cache and state for each block of C(model): a tuple as long as it has blocks."""
    refused.check(model, settings)
    if settings.mtp == "context":
        return next_token.cache(model, settings)
    return tuple(map(sum, zip(*(part.cache(model, settings) for part in kind(model)), strict=True)))


def kind(model):
    """The parts of a Model's cache, or an InfraError for an architecture whose rule is not written yet."""
    found = KINDS.get(model.architecture)
    if found is None:
        raise _not_modelled(model, "")
    if found == (attention,) and model.integer("attention.key_length_mla", 0):
        raise _not_modelled(model, " with latent attention (MLA)")
    if model.integer("num_loops", 1) > 1 and model.architecture != "nanbeige":
        raise _not_modelled(model, " with looped blocks")
    return found


def _not_modelled(model, what):
    return InfraError(
        f"the KV cache of architecture '{model.architecture}'{what} is not modelled yet",
        where=model.name or "model",
        fix="No figure is given rather than a guess",
    )
