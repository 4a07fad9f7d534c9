# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sliding windows: blocks that see only the last tokens have a cache of their own, as long as the window.

Sources: src/llama-kv-cache-iswa.cpp (the length), src/llama-model.cpp (load_swa_pattern), src/llama-hparams.cpp
(set_swa_pattern, has_kv), load_arch_hparams in src/models/*.cpp (the table below).
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ..._model import once_per_model
from ..settings import cache_row_bytes, pad
from . import attention, latent


@dataclass(frozen=True)
class Pattern:
    """How an architecture mixes windows and full attention.

    Of C(period) blocks one sees everything: the last, or the first with C(dense_first). None: the file has a list.
    C(window): its default length. C(fixed): the length whatever the file says. C(optional): no window in the file, no windows at all.
    """

    period: int | None
    dense_first: bool = False
    window: int | None = None
    fixed: int | None = None
    optional: bool = False


PATTERNS = {
    "afmoe": Pattern(4, optional=True),
    "cohere2": Pattern(4),
    "cohere2moe": Pattern(4, dense_first=True),
    "dflash": Pattern(None, optional=True),
    "dots3note": Pattern(None),
    "exaone-moe": Pattern(4, window=128),
    "exaone4": Pattern(4, window=4096),
    "gemma-embedding": Pattern(6),
    "gemma2": Pattern(2, window=4096),
    "gemma3": Pattern(6, optional=True),
    "gemma3n": Pattern(5),
    "gemma4": Pattern(None),
    "gpt-oss": Pattern(2),
    "granite_swa": Pattern(None),
    "laguna": Pattern(4, dense_first=True, optional=True),
    "llama4": Pattern(4, window=8192, fixed=8192),
    "maple": Pattern(None),
    "mellum": Pattern(4, optional=True),
    "mimo2": Pattern(None),
    "modern-bert": Pattern(3, dense_first=True, optional=True),
    "muse-glimmer": Pattern(4),
    "olmo2": Pattern(4, optional=True),
    "plamo3": Pattern(8, optional=True),
    "smallthinker": Pattern(4, dense_first=True, fixed=4096, optional=True),
    "spark2_5": Pattern(None),
    "step35": Pattern(None),
}

EVERY_BLOCK = frozenset({"lfm2", "lfm2moe"})
"""Hybrids all of whose blocks with attention have the window, if the file names one."""

EXAONE4_BLOCKS_WITH_WINDOWS = 64


def cache(model, settings):
    """Bytes of cache for each block of C(model): a tuple as long as it has blocks."""
    return attention.kept(rows(model, settings), range(first_block_without_cache(model)))


def rows(model, settings):
    """Bytes of a cache for each block, those included that have none."""
    heads = attention.kv_heads(model)
    windowed = windowed_blocks(model)
    widths = [_widths(model, head, swa) for head, swa in zip(heads, windowed, strict=True)]
    widest_v = max(v_width for _k_width, v_width in widths)
    sizes = []
    for block, (k_width, v_width) in enumerate(widths):
        cells = (window_cells(window_length(model), settings) if windowed[block] else settings.n_ctx_seq) * settings.n_stream
        v_width = v_width if settings.flash_attn else widest_v
        sizes.append(cells * (cache_row_bytes(k_width, settings.cache_type_k) + cache_row_bytes(v_width, settings.cache_type_v)))
    return tuple(sizes)


def window_cells(window, settings):
    """Cells of a stream of a windowed block: window and micro-batch, padded; one window for each slot that shares a cache."""
    slots = settings.n_seq_max if settings.kv_unified else 1
    return pad(min(settings.n_ctx_seq, window * slots + settings.n_ubatch))


@once_per_model
def windowed_blocks(model):
    """Whether each block has a window."""
    if not window_length(model):
        return (False,) * model.n_layer_all
    if model.architecture in EVERY_BLOCK:
        return tuple(heads > 0 for heads in attention.kv_heads(model))
    pattern = PATTERNS[model.architecture]
    if model.architecture == "dflash" and model.integer("hyper_connection.count", 0):
        return (True,) * model.n_layer_all  # drafts for DeepSeek V4
    listed = model.hyperparameters.get("attention.sliding_window_pattern")
    if isinstance(listed, list):
        return tuple(bool(flag) for flag in model.per_layer("attention.sliding_window_pattern"))
    period = model.integer("attention.sliding_window_pattern", pattern.period) if pattern.period else None
    if period is None:
        raise InfraError(f"the model's header has no list '{model.architecture}.attention.sliding_window_pattern'", where=model.name or "model")
    full = 0 if pattern.dense_first else period - 1
    return tuple(block < model.n_layer and (period == 0 or block % period != full) for block in range(model.n_layer_all))


@once_per_model
def window_length(model):
    """The length of the window, 0 for none."""
    if model.architecture in EVERY_BLOCK:
        return model.integer("attention.sliding_window", 0)
    pattern = PATTERNS.get(model.architecture)
    if pattern is None:
        return 0
    if model.architecture == "exaone4" and model.n_layer != EXAONE4_BLOCKS_WITH_WINDOWS:
        return 0
    window = model.integer("attention.sliding_window", 0 if pattern.optional else pattern.window)
    if window == 0 and (pattern.optional or model.architecture == "llama4"):
        return 0
    return pattern.fixed or window


def _widths(model, heads, windowed):
    """Elements of a row of K and of V; windowed blocks may have heads of another length."""
    k_length, v_length = attention.head_lengths(model)
    if windowed:
        k_length = model.integer("attention.key_length_swa", k_length)
        v_length = model.integer("attention.value_length_swa", v_length)
    return heads * k_length, 0 if latent.is_latent(model) else heads * v_length


def first_block_without_cache(model):
    """Blocks from this one on have no cache: they use that of an earlier block, or are for next-token prediction."""
    if model.architecture == "gemma3n":
        return 20
    if model.architecture == "gemma4":
        return model.n_layer_all - model.integer("attention.shared_kv_layers", 0)
    return model.n_layer
