# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the graph of each architecture is built: a module for each family, and here which family an architecture belongs to.

Source: src/models/*.cpp.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ...cache import indexer
from . import (
    deci,
    deepseek4,
    drafts,
    encoders,
    gated_delta_net,
    gemma,
    glm5_next,
    granite_switch,
    hrm,
    hy_v4,
    kimi,
    latent,
    minimax,
    next_token,
    qwen4exp,
    rwkv,
    sparse_latent,
    state_spaces,
    transformer,
)

BUILDERS = {
    **dict.fromkeys(latent.ARCHITECTURES, latent.build),
    **dict.fromkeys(latent.WHOLE, latent.build_whole),
    **dict.fromkeys(sparse_latent.ARCHITECTURES, sparse_latent.build),
    **dict.fromkeys(gated_delta_net.ARCHITECTURES, gated_delta_net.build),
    **dict.fromkeys(kimi.ARCHITECTURES, kimi.build),
    **dict.fromkeys(encoders.BERTS, encoders.build_bert),
    "t5": encoders.build_t5,
    "t5encoder": encoders.build_t5_encoder,
    "deci": deci.build,
    "deepseek4": deepseek4.build,
    "dflash": drafts.build_dflash,
    "eagle3": drafts.build_eagle3,
    "gemma3n": gemma.build_3n,
    "gemma4": gemma.build_4,
    "glm5-next": glm5_next.build,
    "qwen4exp": qwen4exp.build,
    "graniteswitch": granite_switch.build,
    "hrm_text": hrm.build,
    "hy_v4": hy_v4.build,
    "minimax-01": minimax.build_01,
    "minimax-m3": minimax.build_m3,
    "kimi-k3": kimi.build_k3,
    **dict.fromkeys(("rwkv6", "rwkv7"), rwkv.build),
    **dict.fromkeys(("arwkv7", "rwkv6qwen2"), rwkv.build_in_qwen),
    **dict.fromkeys(("mamba", "mamba2"), state_spaces.build_mamba),
    **dict.fromkeys(("nemotron_h", "nemotron_h_moe"), state_spaces.build_nemotron_h),
    **dict.fromkeys(("lfm2", "lfm2moe"), state_spaces.build_lfm2),
    "falcon-h1": state_spaces.build_falcon_h1,
    "granitehybrid": state_spaces.build_granite,
    "jamba": state_spaces.build_jamba,
    "plamo2": state_spaces.build_plamo,
    **dict.fromkeys(transformer.ARCHITECTURES, transformer.build),
}
"""A function that takes a Build and adds the whole graph to it."""

MARKS = {"gemma3n": gemma.marks, "gemma4": gemma.marks, "glm-dsa": indexer.owners, "glm5-next": indexer.owners, "hy_v4": indexer.owners}
"""What tells blocks of an architecture apart beside their tensors: a function of the model, a value for each block."""

WHOLE = frozenset({"deepseek32", "gemma3n", "glm-dsa", "hrm_text", "kimi-k3", "minimax-01", "minimax-m3", "nanbeige", "t5", "t5encoder"})
"""Architectures whose blocks use, or leave in memory, results of all blocks before them, so that none stands for another."""


def build_graph(b):
    """The graph of b, a Build. Raises InfraError for an architecture whose graph is not described."""
    builder = next_token.build if b.settings.mtp == "context" else BUILDERS.get(b.model.architecture)
    if builder is None:
        raise InfraError(
            f"the compute buffers of architecture '{b.model.architecture}' are not modelled yet",
            where=b.model.name or "model",
            fix="No figure is given rather than a guess",
        )
    b.builder = builder
    try:
        builder(b)
    except (AttributeError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
        # a graph that can't be built for want of a tensor or a figure: a header that lies about its architecture
        raise InfraError(
            f"the tensors and figures of the header are not those of a '{b.model.architecture}' model: some are missing or impossible",
            where=b.model.name or "model",
            fix="The file may be damaged or made for another version of llama.cpp",
        ) from error
