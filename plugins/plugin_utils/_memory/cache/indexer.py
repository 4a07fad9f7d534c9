# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sparse attention: a cache of index keys, one head wide, beside that of the attention itself.

Sources: src/llama-kv-cache-dsa.cpp, src/llama-kv-cache-msa.cpp, src/llama-memory-hybrid-idx.cpp;
load_arch_hparams of src/models/deepseek32.cpp, glm-dsa.cpp, hy-v4.cpp, minimax-m3.cpp, qwen4exp.cpp, glm5-next.cpp.
"""

from __future__ import annotations

from ..settings import cache_row_bytes
from . import attention, hybrid

GLM_CONTEXT_WITH_SHARED_INDEXERS = 1048576
"""GLM models trained with this much context share indexers between blocks; those before have one in each."""

GLM_BLOCKS_LISTED = 78
"""Blocks in llama.cpp's own list of those with an indexer, for files without one: the first two, then the third and every fourth from there."""

KEYS_OF_GLM5_NEXT = 3
"""It caches the key, the gate and the pooled value."""


def cache(model, settings):
    """Bytes of index keys for each block of C(model), without the attention's own cache."""
    return tuple(size if owner else 0 for size, owner in zip(rows(model, settings), owners(model), strict=True))


def rows(model, settings):
    """Bytes of index keys for each block, next-token prediction and blocks that use those of another included."""
    length = model.integer("attention.indexer.key_length", 0)
    if model.architecture == "hy_v4" and not model.integer("attention.indexer.top_k", 0):
        length = 0
    if model.architecture == "glm5-next":
        length *= KEYS_OF_GLM5_NEXT
    cells = settings.n_ctx_seq * settings.n_stream
    size = cells * cache_row_bytes(length, settings.cache_type_k)
    if model.architecture == "minimax-m3":
        # its index cache is not marked as K only, so a V of one head lies beside it
        size += cells * cache_row_bytes(attention.head_lengths(model)[1], settings.cache_type_v)
    return (size,) * model.n_layer_all


def owners(model):
    """Whether each block has index keys of its own."""
    trunk = [block < model.n_layer for block in range(model.n_layer_all)]
    if model.architecture == "minimax-m3":
        dense = model.integer("leading_dense_block_count", 0)
        return tuple(block >= dense for block in range(model.n_layer_all))
    if model.architecture in ("qwen4exp", "glm5-next"):
        recurrent = hybrid.recurrent_blocks(model)
        trunk = [inside and not state for inside, state in zip(trunk, recurrent, strict=True)]
    if model.architecture in ("glm-dsa", "hy_v4", "glm5-next", "dots3note"):
        full = _full_indexers(model)
        trunk = [inside and own for inside, own in zip(trunk, full, strict=True)]
    return tuple(trunk)


def _full_indexers(model):
    """Blocks that compute their index themselves; the others use that of the block before."""
    types = model.hyperparameters.get("attention.indexer.types")
    if isinstance(types, list):
        listed = [bool(kind) for kind in types[: model.n_layer_all]]
        return listed + [False] * (model.n_layer_all - len(listed))
    if types is not None:
        return [bool(types)] * model.n_layer_all
    if model.architecture == "glm-dsa" and model.n_ctx_train >= GLM_CONTEXT_WITH_SHARED_INDEXERS:
        return [block < 2 or (block < GLM_BLOCKS_LISTED and block % 4 == 2) for block in range(model.n_layer_all)]
    return [True] * model.n_layer_all
