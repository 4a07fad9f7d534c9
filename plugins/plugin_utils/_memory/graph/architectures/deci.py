# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deci: blocks without attention, with a matrix in its place, or without a network.

Source: src/models/deci.cpp.
"""

from __future__ import annotations

from ..ggml import same
from . import transformer
from .traits import LLAMA


def build(b):
    """The whole graph of b, a Build. What a block without a network computes goes nowhere, but its K and V are kept."""
    widths = b.model.per_layer("feed_forward_length", 0)
    x = b.embeddings()
    for block in b.blocks:
        before, y = x, x
        if b.heads[block]:
            y = b.norm(x, "attn_norm", block)
            y = transformer.attention(b, y, block, LLAMA) if b.kv_heads[block] else b.matrix("attn_output", y, block, bias=False)
        if block == b.last_block:
            before, y = b.outputs_only(before), b.outputs_only(y)
        if not widths[block]:
            continue
        between = same("add", y, before) if b.heads[block] else y
        x = same("add", transformer.network(b, b.norm(between, "ffn_norm", block), block, LLAMA), between)
    return b.logits(x)
