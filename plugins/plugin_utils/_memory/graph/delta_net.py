# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Linear attention with a gated delta rule: a state instead of a cache, three blocks in four.

Source: src/models/delta-net-base.cpp (build_conv_state, build_recurrent_attn, build_delta_net_fused, build_delta_net_chunking).
"""

from __future__ import annotations

from . import ggml
from .ggml import concat, cont, mul_mat, pad, permute, reshape, same, transpose, view
from .recurrent_state import load_state, state_leaf, store_state

CHUNK = 64
CHUNK_PER_CHANNEL = 16
"""Tokens of a chunk, where each head has a decay of its own and where each channel has one."""


CHUNKS_THAT_DIFFER = 4
"""From then on a chunk uses the memory of those before."""


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
    width = leaf.shape[0]
    rule = fused if b.fused("gated_delta_net") else chunked
    x, state = rule(b, q, k, v, gate, beta, state, block)
    store_state(b, leaf, state, width)
    return x


def fused(b, q, k, v, gate, beta, state, block):
    length, heads, tokens, seqs = v.shape
    both = ggml.result("gated_delta_net", (length * heads, tokens * seqs + length * seqs), q, k, v, gate, beta, state)
    b.note_fused("gated_delta_net", both, block)
    return view(both, length, heads, tokens, seqs, packed=True), view(both, length, length, heads, seqs, packed=True)


def chunked(b, q, k, v, gate, beta, state, block):
    """Without the fused operation: chunk by chunk."""
    length, heads_k, tokens, seqs = q.shape
    heads = v.shape[1]
    by_channel = gate.shape[0] == length and gate.shape[1] == heads_k
    size = CHUNK_PER_CHANNEL if by_channel else CHUNK
    more = -tokens % size
    chunks = (tokens + more) // size
    q = same("scale", q)
    q, k, v, gate, beta = (pad(permute(part, 0, 2, 1, 3), 0, more, 0, 0) for part in (q, k, v, gate, beta))
    v_beta, k_beta = same("mul", v, beta), same("mul", k, beta)
    q, k, k_beta = (reshape(part, length, size, chunks, heads_k * seqs) for part in (q, k, k_beta))
    v_beta = reshape(v_beta, v.shape[0], size, chunks, heads * seqs)
    gate = reshape(gate, gate.shape[0], size, chunks, heads * seqs)
    decay = ggml.result("cumsum", (size, gate.shape[0], chunks, heads * seqs), cont(transpose(gate)))
    if by_channel:
        kb, kq = _pairs_by_channel(q, k, k_beta, decay, size, length, chunks * heads_k * seqs)
        kb, kq = (cont(transpose(reshape(part, size, size, chunks, heads * seqs))) for part in (kb, kq))
    else:
        columns = ggml.repeat(reshape(decay, 1, size, chunks, heads * seqs), size, size, chunks, heads * seqs)
        mask = same("unary", _triangle(same("sub", columns, decay)))
        kb = same("mul", mul_mat(k, k_beta), mask)
        kq = same("mul", mul_mat(k, q), mask)
    kq = _triangle(kq)
    lower = _triangle(kb)
    identity = ggml.result("diag", (size, size), same("fill", view(lower, size)))
    left = same("add", lower, identity)
    solved = ggml.result("solve_tri", lower.shape, left, same("unary", lower))
    solved = same("add", solved, identity)
    v = mul_mat(cont(transpose(v_beta)), solved)
    grown = same("unary", decay)
    k_cumulated = mul_mat(same("mul", cont(transpose(k_beta)), grown), solved)
    q_grown = same("mul", q, cont(transpose(grown)))
    last = cont(view(decay, 1, *decay.shape[1:]))
    last_grown = transpose(same("unary", last))
    rest = cont(transpose(same("unary", same("unary", same("sub", decay, last)))))
    k_rest = cont(transpose(same("mul", k, rest)))
    state = reshape(state, length, length, 1, heads * seqs)
    v_columns = cont(transpose(v))
    for _chunk in range(min(chunks, CHUNKS_THAT_DIFFER)):
        known = mul_mat(_slice(k_cumulated), state)
        new = same("sub", _slice(v_columns), known)
        inside = mul_mat(new, _slice(kq))
        carried = mul_mat(state, _slice(q_grown))
        v = ggml.Tensor("set", v.type, v.shape, (v, same("add", carried, inside)), root=v.root or v, size_bytes=0)
        added = mul_mat(_slice(k_rest), new)
        state = same("add", same("mul", state, _slice(last_grown)), added)
    return permute(view(v, length, tokens, heads, seqs), 0, 2, 1, 3), reshape(state, length, length, heads, seqs)


def _pairs_by_channel(q, k, k_beta, decay, size, length, count):
    rows = reshape(decay, size, 1, length, count)
    columns = ggml.repeat(reshape(decay, 1, size, length, count), size, size, length, count)
    mask = same("unary", _triangle(same("sub", columns, rows)))
    mask = cont(permute(mask, 2, 1, 0, 3), length, size, size, count)
    k_rows = reshape(k, length, 1, size, count)
    return (
        mul_mat(same("mul", mask, reshape(k_beta, length, size, 1, count)), k_rows),
        mul_mat(same("mul", mask, reshape(q, length, size, 1, count)), k_rows),
    )


def _triangle(x):
    return ggml.result("tri", x.shape, x)


def _slice(x):
    return view(x, x.shape[0], x.shape[1], 1, x.shape[3])
