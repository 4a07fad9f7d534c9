# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Linear attention with a gated delta rule: a state instead of a cache, three blocks in four.

Source: src/models/delta-net-base.cpp (build_conv_state, build_recurrent_attn, build_delta_net_fused). The fused operation is always
used: src/llama-context.cpp of this build doesn't ask whether it can be (auto_fgdn).
"""

from __future__ import annotations

from . import ggml
from .ggml import concat, reshape, transpose, view
from .recurrent_state import load_state, state_leaf, store_state


def convolved(b, x, kernel, block):
    """C(x), channels by tokens, convolved with the last inputs before it; those are stored anew."""
    kernel_size, channels = kernel.shape[0], kernel.shape[1]
    width = (kernel_size - 1) * channels
    leaf = state_leaf(b, block, "convolution", width)
    before = reshape(load_state(b, leaf, width), kernel_size - 1, channels, b.n_seqs)
    whole = concat(before, transpose(x), 0)
    store_state(b, leaf, view(whole, kernel_size - 1, channels, b.n_seqs), width)
    return whole


def delta_net(b, q, k, v, gate, beta, state, leaf, block):
    """The result for each token; the new state is stored in C(leaf)."""
    length, heads, tokens, seqs = v.shape
    both = ggml.result("gated_delta_net", (length * heads, tokens * seqs + length * seqs), q, k, v, gate, beta, state)
    store_state(b, leaf, view(both, length, length, heads, seqs, packed=True), leaf.shape[0])
    return view(both, length, heads, tokens, seqs, packed=True)
