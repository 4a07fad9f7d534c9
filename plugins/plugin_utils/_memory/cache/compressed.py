# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DeepSeek V4: every block keeps a window of K, some also K compressed to one row for 4 tokens, with index keys, or for 128.

Each slot has a stream of its own, whether the cache is unified or not. What is being compressed is F32, whatever the type of the cache.

Source: src/llama-kv-cache-dsv4.cpp (llama_kv_cache_dsv4, llama_dsv4_comp_state).
"""

from __future__ import annotations

from ..settings import cache_row_bytes, pad
from . import attention

FINE, COARSE = 4, 128
"""Tokens in a compressed row."""

FLOAT_BYTES = 4
KEYS_AND_SCORES = 2
OVERLAP = 2
"""The fine rows overlap: their state holds the tokens of two, each twice as wide."""


def cache(model, settings):
    """Bytes of cache and of what is being compressed for each block of C(model)."""
    length = attention.head_lengths(model)[0]
    window = window_cells(model, settings)
    ratios = model.per_layer("attention.compress_ratios")
    return tuple(
        settings.n_seq_max * (window * cache_row_bytes(heads * length, settings.cache_type_k) + _compressed(model, settings, ratio, heads, block))
        for block, (heads, ratio) in enumerate(zip(attention.kv_heads(model), ratios, strict=True))
    )


def _compressed(model, settings, ratio, heads, block):
    """Bytes of one stream beside its window."""
    length, indexer = attention.head_lengths(model)[0], model.integer("attention.indexer.key_length")
    rows = cache_row_bytes(heads * length, settings.cache_type_k)
    if ratio == FINE:
        rows += cache_row_bytes(indexer, settings.cache_type_k)
    elif ratio != COARSE:
        return 0
    return cells(settings, ratio) * rows + _state(model, ratio, block) * (1 + settings.n_rs_seq)


def _state(model, ratio, block):
    """Bytes of what is being compressed of one sequence."""
    if block >= model.n_layer:
        return 0
    length = attention.head_lengths(model)[0]
    elements = {FINE: OVERLAP * FINE * OVERLAP * (length + model.integer("attention.indexer.key_length")), COARSE: COARSE * length}
    return FLOAT_BYTES * KEYS_AND_SCORES * elements.get(ratio, 0)


def kept_bytes(model, settings):
    """What a context checkpoint keeps of one sequence: the window of every block, and what is being compressed (state_write)."""
    length = attention.head_lengths(model)[0]
    window = min(model.integer("attention.sliding_window"), settings.n_ctx_seq)
    ratios = model.per_layer("attention.compress_ratios")
    return sum(
        window * cache_row_bytes(heads * length, settings.cache_type_k) + _state(model, ratio, block)
        for block, (heads, ratio) in enumerate(zip(attention.kv_heads(model), ratios, strict=True))
    )


def cells(settings, ratio):
    """Cells of a stream for compressed rows."""
    return pad((settings.n_ctx_seq + ratio - 1) // ratio)


def window_cells(model, settings):
    """Cells of a stream for the last tokens."""
    return pad(min(settings.n_ctx_seq, model.integer("attention.sliding_window") + settings.n_ubatch))


def rows(model, settings):
    """Bytes of a cache for each block in the context of next-token prediction: a window of K and of V, not compressed."""
    k_length, v_length = attention.head_lengths(model)
    count = next_token_cells(model, settings) * settings.n_stream
    return tuple(
        count * (cache_row_bytes(heads * k_length, settings.cache_type_k) + cache_row_bytes(heads * v_length, settings.cache_type_v))
        for heads in attention.kv_heads(model)
    )


def next_token_cells(model, settings):
    """Cells of a stream in that context; one window for each slot that shares a cache."""
    slots = settings.n_seq_max if settings.kv_unified else 1
    return pad(min(settings.n_ctx_seq, model.integer("attention.sliding_window") * slots + settings.n_ubatch))
