# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hybrids: some blocks keep a recurrent state, others a cache of attention, in falcon-h1 every block both.

Sources: src/llama-model.cpp (create_memory: the filters), src/llama-memory-hybrid.cpp, src/llama-memory-hybrid-iswa.cpp;
load_arch_hparams in src/models/*.cpp for the blocks that are recurrent.
"""

from __future__ import annotations

from . import attention, latent, recurrent, sliding_window

BY_INTERVAL = frozenset({"minimax-01", "qwen3next", "qwen35", "qwen35moe", "qwen4exp"})
"""Every so many blocks one has attention; the others are recurrent."""

BY_KV_HEADS = frozenset({"bailingmoe3", "glm5-next", "granitehybrid", "jamba", "kimi-k3", "kimi-linear", "lfm2", "lfm2moe", "plamo2"})
"""A block without heads of K and V is recurrent."""

ALTERNATING = frozenset({"nemotron_h", "nemotron_h_moe"})
"""A block is one thing only: recurrent, attention or feed-forward."""

PARALLEL = frozenset({"falcon-h1"})
"""Attention and recurrence side by side in every block."""

WITHOUT_NEXT_TOKEN = BY_INTERVAL | {"glm5-next"}
"""Where the blocks for next-token prediction have no cache in the main context; elsewhere they have one, though nothing reads it."""

ARCHITECTURES = BY_INTERVAL | BY_KV_HEADS | ALTERNATING | PARALLEL


def cache(model, settings):
    """Bytes of cache and state for each block of C(model)."""
    state = recurrent.state_bytes(model, settings)
    recurrent_here, attention_here = recurrent_blocks(model), attention_blocks(model)
    attended = sliding_window.rows(model, settings) if sliding_window.window_length(model) else latent.rows(model, settings)
    return tuple(
        (state + recurrent.history_bytes(model, settings, block) if recurrent_here[block] else 0) + (attended[block] if attention_here[block] else 0)
        for block in range(model.n_layer_all)
    )


def recurrent_blocks(model):
    """Whether each block keeps a state."""
    heads = attention.kv_heads(model)
    if model.architecture in PARALLEL:
        return (True,) * model.n_layer_all
    if model.architecture in ALTERNATING:
        return tuple(not head and not width and block < model.n_layer for block, (head, width) in enumerate(zip(heads, _feed_forward(model), strict=True)))
    if model.architecture in BY_INTERVAL:
        return _by_interval(model)
    return tuple(head == 0 and block < model.n_layer for block, head in enumerate(heads))


def attention_blocks(model):
    """Whether each block keeps K and V."""
    recurrent_here = recurrent_blocks(model)
    if model.architecture in PARALLEL:
        return (True,) * model.n_layer_all
    last = model.n_layer if model.architecture in WITHOUT_NEXT_TOKEN else model.n_layer_all
    here = [not state and block < last for block, state in enumerate(recurrent_here)]
    if model.architecture in ALTERNATING:
        here = [kept and not width for kept, width in zip(here, _feed_forward(model), strict=True)]
    return tuple(here)


def _by_interval(model):
    listed = model.hyperparameters.get("attention.recurrent_layers")
    if listed is not None:
        return tuple(bool(flag) for flag in (model.per_layer("attention.recurrent_layers") if isinstance(listed, list) else [listed] * model.n_layer_all))
    interval = max(model.integer("full_attention_interval", 8 if model.architecture == "minimax-01" else 4), 1)
    return tuple(block < model.n_layer and (block + 1) % interval != 0 for block in range(model.n_layer_all))


def _feed_forward(model):
    return model.per_layer("feed_forward_length", 0)
