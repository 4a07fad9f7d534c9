# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Context checkpoints: what of a prompt can't be taken back is kept as it was at some places, so that a changed prompt needn't start over.

That is the window of models with sliding windows, and the state of recurrent and hybrid ones; plain caches need none. A checkpoint holds one
sequence, in RAM, wherever the cache is. Each slot keeps up to 32; they are made at the user's messages, 8192 tokens apart or at the last one,
and twice near the end of each prompt, and thinned out only when the list is full: a long conversation fills it.

Sources: tools/server/server-context.cpp (create_checkpoint, and where it is called), common/common.h (n_ctx_checkpoints, checkpoint_min_step),
state_write in src/llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-kv-cache-dsv4.cpp, llama-memory-recurrent.cpp and llama-memory-hybrid.cpp
(LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY).
"""

from __future__ import annotations

from ..cache import compressed, families, hybrid, recurrent, sliding_window

PER_SLOT = 32
CELL_BYTES = 12
"""Position, number of sequences and the sequence of each cell, before its rows."""


def checkpoint_bytes(model, settings):
    """Bytes of one checkpoint, 0 for a model that needs none."""
    parts = families.kind(model)
    if settings.mtp == "context":
        return 0
    if compressed in parts:
        return compressed.kept_bytes(model, settings)
    size = 0
    if recurrent in parts:
        size += _states(model, settings, (True,) * model.n_layer_all)
    if hybrid in parts:
        size += _states(model, settings, hybrid.recurrent_blocks(model))
    if (sliding_window in parts or hybrid in parts) and sliding_window.window_length(model):
        size += _windows(model, settings, parts)
    return size


def _states(model, settings, blocks):
    """One state of one sequence for each recurrent block that the main graph runs."""
    copies = settings.n_seq_max * (1 + settings.n_rs_seq)
    state = recurrent.state_bytes(model, settings) // copies
    return sum(state + recurrent.history_bytes(model, settings, block) // copies for block in range(model.n_layer) if blocks[block])


def _windows(model, settings, parts):
    """The cells that a sequence still sees, of each block with a window."""
    window = sliding_window.window_length(model)
    cells = min(window, settings.n_ctx_seq)
    allocated = sliding_window.window_cells(window, settings) * settings.n_stream
    attended = hybrid.attention_blocks(model) if hybrid in parts else (True,) * sliding_window.first_block_without_cache(model)
    rows = sliding_window.rows(model, settings)
    windowed = sliding_window.windowed_blocks(model)
    return cells * CELL_BYTES + sum(rows[block] // allocated * cells for block, kept in enumerate(attended) if kept and windowed[block])
