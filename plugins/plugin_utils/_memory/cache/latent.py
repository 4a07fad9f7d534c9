# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Latent attention (MLA): one compressed row of K per token and block, and no V.

Source: src/llama-kv-cache.cpp (has_v), src/llama-hparams.cpp (is_mla); load_arch_hparams of src/models/deepseek2.cpp and others.
"""

from __future__ import annotations

from ..settings import cache_row_bytes
from . import attention


def is_latent(model):
    """Files made before llama.cpp knew MLA lack these keys, and then hold K and V of every head."""
    return bool(model.integer("attention.key_length_mla", 0) and model.integer("attention.value_length_mla", 0))


def cache(model, settings):
    """Bytes of cache for each block of C(model)."""
    return attention.kept(rows(model, settings), attention.blocks_with_cache(model))


def rows(model, settings):
    """Bytes of a cache for each block, next-token prediction included."""
    if not is_latent(model):
        return attention.rows(model, settings)
    cells = settings.n_ctx_seq * settings.n_stream
    k_length, _v_length = attention.head_lengths(model)
    return tuple(cells * cache_row_bytes(heads * k_length, settings.cache_type_k) for heads in attention.kv_heads(model))
