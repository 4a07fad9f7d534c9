# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hyper-connections: several rows for each token, mixed before each part of a block and written back after it.

Source: src/models/deepseek4.cpp, glm5-next.cpp (build_hc_pre, build_hc_post, build_hc_sinkhorn); ggml/src/ggml.c (ggml_dsv4_hc_*).
"""

from __future__ import annotations

from . import ggml
from .ggml import concat, cont, mul_mat, permute, repeat, reshape, same, sum_rows, view

PROBE_TOKENS = 1
"""Tokens of a sequence with which llama.cpp asks for the fused operations (src/llama-context.cpp)."""

ROUNDS = 3
"""Of many rounds that each use the memory of the one before, so many stand for all."""


def spread(b, x, count):
    """C(count) rows for each token, all alike."""
    return repeat(reshape(x, b.n_embd, 1, b.n_tokens), b.n_embd, count, b.n_tokens)


def before(b, x, name, block):
    """(the mixture to work on, what writes it back): C(name) is hc_attn or hc_ffn."""
    count, tokens = x.shape[1], x.shape[2]
    mixes = mul_mat(b.weight(f"{name}_fn.weight", block), same("rms_norm", reshape(x, count * b.n_embd, tokens)))
    scale, base = b.weight(f"{name}_scale.weight", block), b.weight(f"{name}_base.weight", block)
    weights = same("scale", same("unary", affine(view(mixes, count, tokens), view(scale, 1), view(base, count))))
    after_ = same("scale", same("unary", affine(view(mixes, count, tokens), view(scale, 1), view(base, count))))
    if b.fused("hc_comb", PROBE_TOKENS):
        between = ggml.result("hc_comb", (count, count, tokens), mixes, scale, base)
        b.note_fused("hc_comb", between, block)
    else:
        between = affine(view(mixes, count * count, tokens), view(scale, 1), view(base, count * count))
        between = sinkhorn(b, reshape(between, count, count, tokens))
    return weighted(b, x, weights, block), (after_, between)


def weighted(b, x, weights, block):
    if block is not None and b.fused("hc_pre", PROBE_TOKENS):
        y = ggml.result("hc_pre", (b.n_embd, x.shape[2]), x, weights)
        b.note_fused("hc_pre", y, block)
        return y
    y = None
    for _row in range(x.shape[1]):
        part = same("mul", view(x, b.n_embd, x.shape[2]), view(weights, 1, x.shape[2]))
        y = part if y is None else same("add", y, part)
    return y


def after(b, x, residual, how, block):
    """The rows with the result C(x) written back."""
    post, between = how
    count, tokens = residual.shape[1], residual.shape[2]
    if b.fused("hc_post", PROBE_TOKENS):
        y = ggml.result("hc_post", (b.n_embd, count, tokens), x, residual, post, *(() if between is None else (between,)))
        b.note_fused("hc_post", y, block)
        return y
    y = None
    for _row in range(count):
        part = same("mul", x, view(post, 1, tokens))
        for _source in range(count):
            part = same("add", part, same("mul", view(residual, b.n_embd, tokens), view(between, 1, tokens)))
        part = reshape(part, b.n_embd, 1, tokens)
        y = part if y is None else concat(y, part, 1)
    return y


def affine(x, scale, base):
    return same("add", same("mul", x, scale), base)


def sinkhorn(b, x):
    epsilon = same("fill", ggml.constant(1))
    x = same("add", same("soft_max", x), epsilon)
    for step in range(min(b.model.integer("hyper_connection.sinkhorn_iterations", 1), ROUNDS)):
        if step:
            x = same("div", x, same("add", sum_rows(x), epsilon))
        columns = same("add", sum_rows(cont(permute(x, 1, 0, 2, 3))), epsilon)
        x = same("div", x, permute(columns, 1, 0, 2, 3))
    return x


def narrow(b, x):
    """The rows of those tokens whose logits are asked for."""
    count = x.shape[1]
    flat = b.outputs_only(reshape(x, b.n_embd * count, x.shape[2]))
    return reshape(flat, b.n_embd, count, flat.shape[1])


def mean(b, x):
    y = view(x, b.n_embd, x.shape[2])
    for _row in range(1, x.shape[1]):
        y = same("add", y, view(x, b.n_embd, x.shape[2]))
    return same("scale", y)
