# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HRM: two stacks of blocks that run in turns, each turn with caches of its own.

Source: src/models/hrm-text.cpp.
"""

from __future__ import annotations

from ..ggml import mul_mat, reshape, same


def build(b):
    """The whole graph of b, a Build."""
    model = b.model
    deep, high, low = model.integer("hrm.layers_per_stack"), model.integer("hrm.h_cycles"), model.integer("hrm.l_cycles")
    x = b.embeddings()
    y = b.weight("hrm.z_l_init.weight") or b.weight("hrm.z_l_init")
    for turn in range(high):
        first = turn * (low + 1) * deep
        for inner in range(low):
            y = stack(b, same("add", x, y), first + inner * deep, 0, deep)
        x = stack(b, same("add", x, y), first + low * deep, deep, deep)
    x = b.outputs_only(x)
    x.output = True
    return b.project(x)


def stack(b, x, slot, weights, deep):
    """C(deep) blocks with the tensors of the blocks from C(weights) on, and the caches from C(slot) on."""
    for step in range(deep):
        block, before = weights + step, x
        x = same("rms_norm", x)
        gate = b.matrix("attn_gate", x, block)
        q, k, v = (
            reshape(matrix(b, f"attn_{name}", x, block, slot + step), b.k_length, b.heads[block] if name == "q" else b.kv_heads[block], b.n_tokens)
            for name in "qkv"
        )
        x = b.attention(b.rope(q), b.rope(k), v, block, out=None, cache_of=slot + step)
        x = same("add", matrix(b, "attn_output", same("mul", x, same("unary", gate)), block, slot + step), before)
        between = x
        x = same("add", b.feed_forward(same("rms_norm", x), block), between)
    return same("rms_norm", x)


def matrix(b, name, x, block, slot):
    """A matrix of the stack, with the scale and bias that the slot has."""
    x = mul_mat(b.weight(f"{name}.weight", block), x)
    if b.has(f"{name}.scale", slot):
        x = same("mul", x, b.weight(f"{name}.scale", slot))
    return same("add", x, b.weight(f"{name}.bias", block)) if b.has(f"{name}.bias", block) else x
