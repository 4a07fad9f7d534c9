# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RWKV's mixing over time, in its sixth and seventh version, and what they remember of the token before.

Source: src/models/rwkv6-base.cpp, rwkv7-base.cpp; src/llama-graph.cpp (build_rwkv_token_shift_load, build_rwkv_token_shift_store).
"""

from __future__ import annotations

from .ggml import concat, cont, mul_mat, permute, repeat, reshape, result, same, sum_rows, view
from .recurrent_state import load_state, state_leaf, store_part

PARTS_OF_6 = "wkvrg"
"""What the sixth version mixes the token before into: decay, K, V, receptance and gate."""


def load_shift(b, block, count):
    """What is remembered of the token before: C(count) rows for each sequence."""
    width = count * b.n_embd
    leaf = state_leaf(b, block, "convolution", width)
    return reshape(load_state(b, leaf, width), b.n_embd, count, b.n_seqs)


def store_shift(b, block, rows, count):
    """Remember the last C(rows)."""
    width = count * b.n_embd
    store_part(b, state_leaf(b, block, "convolution", width), view(rows, width * b.n_seqs), width * b.n_seqs)


def shifted(b, before, x):
    """C(x) one token later: that before the first, then all but the last."""
    tokens = b.n_tokens // b.n_seqs
    return concat(before, view(x, b.n_embd, tokens - 1, b.n_seqs, packed=b.n_seqs == 1), 1)


def last_token(b, x):
    return view(x, b.n_embd, 1, b.n_seqs, packed=b.n_seqs == 1)


def time_mix_6(b, x, before, block):
    """rwkv6, and rwkv6qwen2 with its gated linear attention."""
    width, tokens, gated = b.n_embd, b.n_tokens, not b.has("time_mix_first.weight", block)
    size = b.model.integer("wkv.head_size")
    heads, kv_heads = width // size, b.kv_heads[block]
    change = reshape(same("sub", before, x), width, tokens)
    x = reshape(x, width, tokens)
    decayed, k, v, r, gate = _mixed_6(b, x, change, block)
    r, k, v = b.matrix("time_mix_receptance", r, block), b.matrix("time_mix_key", k, block), b.matrix("time_mix_value", v, block)
    gate = same("unary", b.matrix("time_mix_gate", gate, block))
    if kv_heads not in (0, heads):
        k, v = (repeat(reshape(part, size, 1, kv_heads, tokens), size, heads // kv_heads, kv_heads, tokens) for part in (k, v))
    k, v, r = (reshape(part, size, heads, tokens) for part in (k, v, r))
    inner = same("unary", mul_mat(b.needed("time_mix_decay_w1.weight", block), decayed))
    decay = same("add", mul_mat(b.needed("time_mix_decay_w2.weight", block), inner), b.weight("time_mix_decay.weight", block))
    decay = reshape(same("unary", same("unary", same("unary", decay))), size, heads, tokens)
    if gated:
        k = same("sub", k, same("mul", k, decay))
    state = _state(b, block, size)
    if gated:
        both = _with_state(b, "gated_linear_attn", size, k, v, r, decay, state)
    else:
        both = _with_state(b, "rwkv_wkv6", size, k, v, r, b.weight("time_mix_first.weight", block), decay, state)
    y = _store(b, both, block, size)
    y = reshape(y, width, tokens) if gated else _normed_by_heads(b, y, size, heads, block)
    return reshape(b.matrix("time_mix_output", same("mul", y, gate), block), width, tokens // b.n_seqs, b.n_seqs)


def _mixed_6(b, x, change, block):
    """The token before mixed into each part, by amounts that depend on the token."""
    width, tokens, count = b.n_embd, b.n_tokens, len(PARTS_OF_6)
    w1, w2 = b.weight("time_mix_w1.weight", block), b.weight("time_mix_w2.weight", block)
    mixed = same("add", same("mul", change, b.weight("time_mix_lerp_x.weight", block)), x)
    mixed = reshape(same("unary", mul_mat(w1, mixed)), w1.shape[1] // count, 1, count, tokens)
    mixed = mul_mat(reshape(w2, w2.shape[0], w2.shape[1], 1, count), cont(permute(mixed, 0, 1, 3, 2)))
    if b.has("time_mix_lerp_fused.weight", block):
        change, x = reshape(change, width, 1, tokens), reshape(x, width, 1, tokens)
        mixed = same("add", same("mul", same("add", mixed, b.weight("time_mix_lerp_fused.weight", block)), change), x)
        return [view(mixed, width, tokens, packed=True) for _part in PARTS_OF_6]
    return [
        same("add", same("mul", same("add", view(mixed, width, tokens, packed=True), b.weight(f"time_mix_lerp_{part}.weight", block)), change), x)
        for part in PARTS_OF_6
    ]


def time_mix_7(b, x, before, first_v, block):
    """(the result, V of the first block): rwkv7 and arwkv7. Every other block mixes V of the first one into its own."""
    width, tokens, seqs = b.n_embd, b.n_tokens, b.n_seqs
    size = b.model.integer("wkv.head_size")
    heads, gated = width // size, b.has("time_mix_g1.weight", block) and b.has("time_mix_g2.weight", block)
    change = repeat(same("sub", before, x), width, tokens // seqs, seqs, 6 if gated else 5)
    mixed = same("add", same("mul", change, b.weight("time_mix_lerp_fused.weight", block)), x)
    of_r, of_w, of_k, of_v, of_a, of_g = (view(mixed, width, tokens, packed=True) for _part in range(6))
    r = b.matrix("time_mix_receptance", of_r, block)
    decay = _low_rank(b, "w", of_w, block, between="unary")
    decay = same("unary", same("scale", same("unary", decay)))
    k, v = b.matrix("time_mix_key", of_k, block), b.matrix("time_mix_value", of_v, block)
    if first_v is None:
        first_v = v
    else:
        v = same("add", v, same("mul", same("sub", first_v, v), same("unary", _low_rank(b, "v", of_v, block))))
    gate = _product(b, "g", of_g, block, between="unary") if gated else None
    a = same("unary", _low_rank(b, "a", of_a, block))
    keys = same("l2_norm", reshape(same("mul", k, b.weight("time_mix_k_k.weight", block)), size, heads, tokens))
    some = same("mul", k, b.weight("time_mix_k_a.weight", block))
    k = same("add", k, same("sub", same("mul", a, some), some))
    r, decay, k, v, a = (reshape(part, size, heads, tokens) for part in (r, decay, k, v, a))
    state = _state(b, block, size)
    both = _with_state(b, "rwkv_wkv7", size, r, decay, k, v, same("unary", keys), same("mul", keys, a), state)
    y = _store(b, both, block, size)
    y = _normed_by_heads(b, y, size, heads, block) if b.has("time_mix_ln.weight", block) else reshape(y, width, tokens)
    bonus = sum_rows(same("mul", same("mul", k, r), reshape(b.weight("time_mix_r_k.weight", block), size, heads)))
    y = same("add", y, reshape(same("mul", v, bonus), width, tokens))
    if gated:
        y = same("mul", y, gate)
    return reshape(b.matrix("time_mix_output", y, block), width, tokens // seqs, seqs), first_v


def _low_rank(b, name, x, block, between=None):
    """A product of two narrow matrices, and a bias."""
    return same("add", _product(b, name, x, block, between), b.weight(f"time_mix_{name}0.weight", block))


def _product(b, name, x, block, between=None):
    x = mul_mat(b.weight(f"time_mix_{name}1.weight", block), x)
    return mul_mat(b.weight(f"time_mix_{name}2.weight", block), same(between, x) if between else x)


def _state(b, block, size):
    return load_state(b, state_leaf(b, block, "state", b.n_embd * size), b.n_embd * size)


def _with_state(b, op, size, *sources):
    """Results and new states in one tensor."""
    return result(op, (b.n_embd, b.n_tokens + size * b.n_seqs), *sources)


def _store(b, both, block, size):
    """The results; the new states go back to where they came from."""
    y = view(both, b.n_embd * b.n_tokens, packed=True)
    count = b.n_embd * size * b.n_seqs
    store_part(b, state_leaf(b, block, "state", b.n_embd * size), view(both, count, packed=True), count)
    return y


def _normed_by_heads(b, y, size, heads, block):
    y = reshape(same("norm", reshape(y, size, heads, b.n_tokens)), b.n_embd, b.n_tokens)
    return same("add", same("mul", y, b.weight("time_mix_ln.weight", block)), b.weight("time_mix_ln.bias", block))
