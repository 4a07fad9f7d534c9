# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""States of recurrent blocks: read for the sequences at hand, written back.

Source: src/llama-graph.cpp (build_rs), src/llama-memory-recurrent.cpp.
"""

from __future__ import annotations

from . import ggml
from .ggml import copy, get_rows, in_place, reshape, view


def state_leaf(b, block, kind, width):
    """The leaf that keeps C(width) numbers for each sequence."""
    home = b.backend_of(block) if b.settings.kv_offload else b.host
    return b.kept(block, kind, lambda: ggml.leaf_cache((width, b.n_seqs), 4 * width * b.n_seqs, home))


def load_state(b, leaf, width):
    """The states of the sequences of the micro-batch."""
    states = reshape(leaf, width, b.n_seqs)
    ids = state_ids(b)
    b.graph.expand(in_place("scale", view(states, width)))
    loaded = b.graph.expand(get_rows(states, ids))
    spare_states(b, leaf, width)
    return loaded


def state_ids(b):
    """Which state each sequence of the micro-batch has."""
    return b.kept(None, "s_copy_main", lambda: _ids(b, b.n_seqs))


def _ids(b, count):
    return view(b.given("s_copy", "i32", b.n_seqs), count, packed=True)


def spare_states(b, leaf, width):
    """States of other sequences are copied along: none where memory is reserved."""
    others = get_rows(reshape(leaf, width, b.n_seqs), b.kept(None, "s_copy_extra", lambda: _ids(b, 0)))
    b.graph.expand(copy(others, view(leaf, width, 0)))


def store_state(b, leaf, state, width):
    b.graph.expand(copy(state, view(leaf, width, b.n_seqs)))


def store_part(b, leaf, state, *shape):
    """C(state) into a part of the leaf."""
    b.graph.expand(copy(state, view(leaf, *shape)))
