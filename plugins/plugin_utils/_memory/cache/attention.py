# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain attention (MHA, GQA, MQA): a row of K and a row of V per token and block.

Source: src/llama-kv-cache.cpp, llama_kv_cache::llama_kv_cache; widths from src/llama-hparams.cpp.
"""

from __future__ import annotations

from ..._model import once_per_model
from ..settings import cache_row_bytes

ROUTED = "graniteswitch"
"""Its last block, which the file does not count, is a router: attention with one head (src/models/granite-switch.cpp)."""


def cache(model, settings):
    """Bytes of cache for each block of C(model): a tuple as long as it has blocks."""
    return kept(rows(model, settings), blocks_with_cache(model))


def rows(model, settings):
    """Bytes of a cache for each block, next-token prediction included.

    Cells x streams x (K row + V row). Without flash attention V is stored transposed, and then every block has
    the width of the widest one.
    """
    cells = settings.n_ctx_seq * settings.n_stream
    heads = kv_heads(model)
    k_length, v_length = head_lengths(model)
    v_width = [head * v_length for head in heads]
    if not settings.flash_attn:
        v_width = [max(v_width)] * len(v_width)
    return tuple(
        cells * (cache_row_bytes(head * k_length, settings.cache_type_k) + cache_row_bytes(width, settings.cache_type_v))
        for head, width in zip(heads, v_width, strict=True)
    )


def kept(sizes, blocks):
    """C(sizes) of these C(blocks), 0 for the others."""
    return tuple(size if block in blocks else 0 for block, size in enumerate(sizes))


def blocks_with_cache(model):
    """The blocks that the main graph attends: not those for next-token prediction, but Granite Switch's router."""
    return range(model.n_layer_all if model.architecture == ROUTED else model.n_layer)


@once_per_model
def kv_heads(model):
    """Heads of K and V per block; a file that doesn't say has as many as of Q."""
    key = "attention.head_count_kv" if "attention.head_count_kv" in model.hyperparameters else "attention.head_count"
    heads = model.per_layer(key)
    return (*heads[:-1], 1) if model.architecture == ROUTED else heads


@once_per_model
def head_lengths(model):
    """(length of a K head, length of a V head)."""
    default = model.n_embd // max(model.integer("attention.head_count"), 1)
    return model.integer("attention.key_length", default), model.integer("attention.value_length", default)
