# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama.cpp itself refuses about a cache, or stops at, and architectures that llama-server cannot serve alone.

Sources: src/llama-context.cpp (llama_init_from_model, llama_context::llama_context), src/llama-model.cpp, src/models/plm.cpp.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ..settings import CACHE_TYPES, is_quantized
from . import attention, latent

ARCHITECTURES = {
    "clip": "it is the projector of a model that sees or hears: give llama-server the model, and this as mmproj",
    "gemma4-assistant": "it drafts for a Gemma 4 and works on that one's cache: give llama-server the model, and this as its draft",
    "gptj": "llama.cpp knows its name and cannot run it",
    "wavtokenizer-dec": "it turns codes into sound and writes no text",
}
"""Architecture: why."""


def check(model, settings):
    """Raise an InfraError for a Model with Settings that llama.cpp would not run."""
    if model.architecture in ARCHITECTURES:
        raise InfraError(
            f"llama-server does not serve architecture '{model.architecture}' by itself: {ARCHITECTURES[model.architecture]}",
            where=model.name or "model",
        )
    if model.architecture == "plm" and settings.flash_attn:
        raise InfraError("llama.cpp stops at PLM with flash attention", where=model.name or "model", got="flash_attn on", fix="Turn flash_attn off")
    one_row = latent.is_latent(model) or model.architecture == "deepseek4"
    if one_row and settings.cache_type_k != settings.cache_type_v:
        raise InfraError(
            "K and V of this model share their cache and need one type",
            where="settings.cache_type_v",
            got=f"{settings.cache_type_v}, with K {settings.cache_type_k}",
        )
    if settings.flash_attn:
        for letter, cache_type, length in zip("kv", (settings.cache_type_k, settings.cache_type_v), attention.head_lengths(model), strict=True):
            if not holds_heads(cache_type, length):
                raise InfraError(
                    f"heads of {length} elements cannot be kept in blocks of {CACHE_TYPES[cache_type][0]}",
                    where=f"settings.cache_type_{letter}",
                    got=cache_type,
                    fix="Use f16",
                )


def holds_heads(cache_type, length):
    """Whether heads of C(length) elements are whole blocks of a cache's type."""
    return not is_quantized(cache_type) or length % CACHE_TYPES[cache_type][0] == 0
