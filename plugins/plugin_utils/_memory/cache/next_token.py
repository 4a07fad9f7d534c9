# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The context of next-token prediction (MTP), which is beside that of the model: a cache of the blocks for it, and of no other.

Source: src/llama-model.cpp, llama_model::create_memory (LLAMA_CONTEXT_TYPE_MTP).
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from . import attention, compressed, latent, sliding_window

PLAIN = frozenset({"glm4moe", "hy_v3", "nemotron_h_moe", "qwen35", "qwen35moe", "qwen3next"})
LATENT = frozenset({"bailingmoe3", "deepseek2", "deepseek32", "glm-dsa"})
WINDOWS = frozenset({"cohere2moe", "mimo2", "step35"})

KINDS = {
    **dict.fromkeys(PLAIN, (attention.rows,)),
    **dict.fromkeys(LATENT, (latent.rows,)),
    **dict.fromkeys(WINDOWS, (sliding_window.rows,)),
    "deepseek4": (compressed.rows,),
}
"""Architectures whose next-token prediction llama.cpp runs (src/models/*.cpp: a graph of its own)."""


def cache(model, settings):
    """Bytes of cache for each block of C(model) in that context: 0 for all but the last."""
    parts = KINDS.get(model.architecture)
    if parts is None or not model.n_layer_nextn:
        raise InfraError(
            f"llama.cpp runs no next-token prediction of architecture '{model.architecture}'"
            if parts is None
            else "the model has no blocks for next-token prediction",
            where=model.name or "model",
            got="settings.mtp: context",
            fix="Leave out mtp",
        )
    sizes = map(sum, zip(*(part(model, settings) for part in parts), strict=True))
    return attention.kept(sizes, range(model.n_layer, model.n_layer_all))
