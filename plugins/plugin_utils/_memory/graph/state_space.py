# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""State space layers: Mamba, Mamba 2 and that of PLaMo 2.

Source: src/models/mamba-base.cpp (build_mamba_layer, build_mamba2_layer), plamo2.cpp (build_plamo2_mamba_layer).
"""

from __future__ import annotations

from . import ggml
from .ggml import concat, cont, glu, in_place, permute, reshape, same, transpose, view
from .recurrent_state import load_state, spare_states, state_ids, state_leaf, store_state

PLAMO_LEAST_RANK = 64
"""PLaMo 2: columns of its step, if an n-th of the width is less."""


def mamba(b, x, block):
    """One number of state for each channel and each of C(ssm.state_size)."""
    model, seqs = b.model, b.n_seqs
    tokens = b.n_tokens // seqs
    inner, state, rank = model.integer("ssm.inner_size"), model.integer("ssm.state_size"), model.integer("ssm.time_step_rank")
    kernel = b.weight("ssm_conv1d.weight", block)
    columns = kernel.shape[0] - 1
    leaf, before = convolution_state(b, columns, inner, block)
    both = b.matrix("ssm_in", reshape(x, x.shape[0], tokens, seqs), block)
    gate = view(both, inner, tokens, seqs)
    whole = concat(before, transpose(view(both, inner, tokens, seqs)), 0)
    store_state(b, leaf, view(whole, columns, inner, seqs), columns * inner)
    x = same("unary", same("add", b.convolution(whole, kernel), b.weight("ssm_conv1d.bias", block)))
    parts = b.matrix("ssm_x", x, block)
    step = view(parts, rank, tokens, seqs)
    into, out = view(parts, state, 1, tokens, seqs), view(parts, state, 1, tokens, seqs)
    if b.model.hyperparameters.get("ssm.dt_b_c_rms") or b.has("ssm_dt_norm.weight", block):
        step, into, out = b.norm(step, "ssm_dt_norm", block), b.norm(into, "ssm_b_norm", block), b.norm(out, "ssm_c_norm", block)
    else:
        step = cont(step)
    step = same("add", ggml.mul_mat(b.needed("ssm_dt.weight", block), step), b.weight("ssm_dt.bias", block))
    channels = reshape(x, 1, inner, tokens, seqs)
    _states, y = scan(b, channels, step, into, out, (state, 1, inner), block)
    y = view(y, inner, tokens, seqs, packed=True)
    y = same("add", y, same("mul", x, b.weight("ssm_d", block)))
    y = b.matrix("ssm_out", glu(cont(gate), y), block)
    return reshape(y, y.shape[0], b.n_tokens)


def mamba2(b, x, block):
    """Heads of channels share their step and their decay."""
    model, seqs = b.model, b.n_seqs
    tokens = b.n_tokens // seqs
    inner, state = model.integer("ssm.inner_size"), model.integer("ssm.state_size")
    heads, groups = model.integer("ssm.time_step_rank"), model.integer("ssm.group_count")
    length, channels = inner // heads, inner + 2 * groups * state
    kernel = b.weight("ssm_conv1d.weight", block)
    columns = kernel.shape[0] - 1
    leaf, before = convolution_state(b, columns, channels, block)
    both = b.matrix("ssm_in", x, block)
    both = reshape(both, both.shape[0], tokens, seqs)
    gate, step = view(both, length, heads, tokens, seqs), view(both, heads, tokens, seqs)
    whole = concat(before, transpose(view(both, channels, tokens, seqs)), 0)
    store_state(b, leaf, view(whole, columns, channels, seqs), columns * channels)
    mixed = same("unary", same("add", b.convolution(whole, kernel), b.weight("ssm_conv1d.bias", block)))
    x = view(mixed, length, heads, tokens, seqs)
    into, out = view(mixed, state, groups, tokens, seqs), view(mixed, state, groups, tokens, seqs)
    step = same("add", cont(step), b.weight("ssm_dt.bias", block))
    _states, y = scan(b, x, step, into, out, (state, length, heads), block)
    y = view(y, length, heads, tokens, seqs, packed=True)
    y = same("add", y, same("mul", x, b.weight("ssm_d", block)))
    y = glu(cont(gate), y)
    if b.has("ssm_norm.weight", block):
        y = b.norm(reshape(y, inner // groups, groups, tokens, seqs), "ssm_norm", block)
    return b.matrix("ssm_out", reshape(y, inner, b.n_tokens), block)


def mamba_of_plamo(b, x, block):
    """Heads of channels, each with its gate beside it; normed B, C and step from one narrow matrix."""
    model, seqs = b.model, b.n_seqs
    tokens = b.n_tokens // seqs
    inner, state, heads = model.integer("ssm.inner_size"), model.integer("ssm.state_size"), model.integer("ssm.time_step_rank")
    length = inner // heads
    rank = max(PLAMO_LEAST_RANK, b.n_embd // 16)
    kernel = b.weight("ssm_conv1d.weight", block)
    columns = kernel.shape[0] - 1
    leaf, before = convolution_state(b, columns, inner, block)
    both = b.matrix("ssm_in", reshape(x, x.shape[0], tokens, seqs), block)
    both = cont(permute(both, 0, 2, 1, 3), 2 * length, heads, tokens, seqs)
    x = cont(view(both, length, heads, tokens, seqs), inner, tokens, seqs)
    gate = view(both, length, heads, tokens, seqs)
    whole = concat(before, transpose(x), 0)
    store_state(b, leaf, view(whole, columns, inner, seqs), columns * inner)
    x = same("unary", b.convolution(whole, kernel))
    parts = b.matrix("ssm_x", x, block)
    into, out, step = view(parts, state, tokens, seqs), view(parts, state, tokens, seqs), view(parts, rank, tokens, seqs)
    into, out, step = b.norm(into, "ssm_b_norm", block), b.norm(out, "ssm_c_norm", block), b.norm(step, "ssm_dt_norm", block)
    step = same("add", b.matrix("ssm_dt", step, block, bias=False), b.weight("ssm_dt.bias", block))
    decay = reshape(b.weight("ssm_a", block), 1, heads)
    x = view(x, length, heads, tokens, seqs, packed=True)
    into, out = (view(part, state, 1, tokens, seqs, packed=True) for part in (into, out))
    _states, y = scan(b, x, step, into, out, (state, length, heads), block, decay)
    y = view(y, length, heads, tokens, seqs, packed=True)
    y = same("add", y, same("mul", x, reshape(b.weight("ssm_d", block), 1, heads)))
    y = view(glu(cont(gate), y), inner, tokens, seqs, packed=True)
    y = b.matrix("ssm_out", y, block)
    return reshape(y, y.shape[0], b.n_tokens)


def convolution_state(b, columns, channels, block):
    """(the leaf, its states) of the last inputs of a convolution."""
    leaf = state_leaf(b, block, "convolution", columns * channels)
    return leaf, reshape(load_state(b, leaf, columns * channels), columns, channels, b.n_seqs)


def scan(b, x, step, into, out, shape, block, decay=None):
    """(the leaf of the state, results and new states in one tensor); the new states are stored."""
    width = shape[0] * shape[1] * shape[2]
    leaf = state_leaf(b, block, "state", width)
    ids = state_ids(b)
    states = reshape(leaf, width, b.n_seqs)
    b.graph.expand(in_place("scale", view(states, width)))
    results = x.shape[0] * x.shape[1] * x.shape[2] * x.shape[3]
    states = reshape(states, *shape, b.n_seqs)
    both = ggml.result("ssm_scan", (results + width * b.n_seqs,), states, x, step, decay or b.weight("ssm_a", block), into, out, ids)
    b.graph.expand(both)
    spare_states(b, leaf, width)
    store_state(b, leaf, view(both, width * b.n_seqs, packed=True), width)
    return leaf, both
