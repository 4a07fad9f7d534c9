# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kind of cache an architecture has.

A kind is a module with C(cache(model, settings)), the bytes for each block, and C(mask_cells(model, settings)), the cells that
the attention masks of a stream span.

Source: src/llama-model.cpp, llama_model::create_memory; src/llama-arch.cpp (llm_arch_is_recurrent, llm_arch_is_hybrid);
load_arch_hparams in src/models/*.cpp for sliding windows and latent attention.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from . import attention, none, sliding_window

NO_CACHE = frozenset(
    """bert dream eurobert gemma-embedding jina-bert-v2 jina-bert-v3 llada llada-moe modern-bert neo-bert nomic-bert nomic-bert-moe
    rnd1 wavtokenizer-dec""".split()
)

PLAIN_ATTENTION = frozenset(
    """apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell cogvlm command-r dbrx deci
    deepseek dots1 ernie4_5 ernie4_5-moe exaone falcon gemma glm4 glm4moe gpt2 gptj gptneox granite granitemoe grok
    grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 llama llama-embed maincoder minicpm minimax-m2 mistral3
    mpt nanbeige nemotron olmo olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plm pockettts qwen qwen2 qwen2moe
    qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm starcoder starcoder2 talkie xverse""".split()
)
"""Every block attends to the whole context with K and V of its own."""

FAMILIES = {
    **dict.fromkeys(NO_CACHE, none),
    **dict.fromkeys(PLAIN_ATTENTION, attention),
    **dict.fromkeys(sliding_window.PATTERNS, sliding_window),
}

NOT_WITH = {"attention.key_length_mla": "latent attention (MLA)", "num_loops": "looped blocks"}
"""Hyperparameters that, when set, give an architecture a cache that its kind does not describe."""


def family(model):
    """The kind of a Model, or an InfraError for one whose rule is not written yet."""
    found = FAMILIES.get(model.architecture)
    if found is None:
        raise _not_modelled(model, f"the KV cache of architecture '{model.architecture}' is not modelled yet")
    for key, what in NOT_WITH.items():
        if model.integer(key, 0) > (1 if key == "num_loops" else 0):
            raise _not_modelled(model, f"the KV cache of architecture '{model.architecture}' with {what} is not modelled yet")
    return found


def _not_modelled(model, what):
    return InfraError(
        what,
        where=model.name or "model",
        expected="an architecture with plain attention or sliding windows, such as llama, qwen3, qwen3moe, gemma3 or gpt-oss",
        fix="No figure is given rather than a guess",
    )
