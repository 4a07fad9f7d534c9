# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kind of cache an architecture has.

Source: src/llama-model.cpp, llama_model::create_memory; src/llama-arch.cpp (llm_arch_is_recurrent, llm_arch_is_hybrid);
load_arch_hparams in src/models/*.cpp for sliding windows and latent attention.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from . import attention

NO_CACHE = frozenset(
    """bert dream eurobert gemma-embedding jina-bert-v2 jina-bert-v3 llada llada-moe modern-bert neo-bert nomic-bert nomic-bert-moe
    rnd1 wavtokenizer-dec""".split()
)
"""Encoders and diffusion models: nothing is kept from one batch to the next."""

PLAIN_ATTENTION = frozenset(
    """apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell cogvlm command-r dbrx deci
    deepseek deepseek2-ocr dots1 ernie4_5 ernie4_5-moe exaone falcon gemma glm4 glm4moe gpt2 gptj gptneox granite granitemoe grok
    grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 llama llama-embed maincoder minicpm minimax-m2 mistral3
    mpt nanbeige nemotron olmo olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plm pockettts qwen qwen2 qwen2moe
    qwen2vl qwen3 qwen3moe qwen3tts qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm starcoder starcoder2 talkie xverse""".split()
)
"""Every block attends to the whole context with K and V of its own."""


def cache(model, settings):
    """Bytes of cache for each block, or an InfraError for an architecture whose rule is not written yet."""
    if model.architecture in NO_CACHE:
        return (0,) * model.n_layer_all
    if model.architecture in PLAIN_ATTENTION:
        return attention.cache(model, settings)
    raise InfraError(
        f"the KV cache of architecture '{model.architecture}' is not modelled yet",
        where=model.name or "model",
        expected="an architecture with plain attention (MHA or GQA), such as llama, qwen2, qwen3 or qwen3moe",
        fix="No figure is given rather than a guess",
    )
