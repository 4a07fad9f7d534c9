# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RWKV 6 and 7, and the same mixing over time in the blocks of Qwen 2.

Source: src/models/rwkv6.cpp, rwkv7.cpp, rwkv6qwen2.cpp, arwkv7.cpp, rwkv6-base.cpp and rwkv7-base.cpp (build_rwkv*_channel_mix).
"""

from __future__ import annotations

from ..ggml import concat, reshape, same, view
from ..wkv import last_token, load_shift, shifted, store_shift, time_mix_6, time_mix_7


def build(b):
    """The whole graph of rwkv6 and rwkv7: mixing over time, then over channels."""
    x, first_v = b.norm(b.embeddings(), "token_embd_norm", op="norm"), None
    for block in b.blocks:
        x = reshape(x, b.n_embd, b.n_tokens // b.n_seqs, b.n_seqs)
        shift = load_shift(b, block, 2)
        of_time, of_channels = (view(shift, b.n_embd, 1, b.n_seqs, packed=b.n_seqs == 1) for _part in range(2))
        normed = b.norm(x, "attn_norm", block, op="norm")
        y, first_v = time_mix(b, normed, shifted(b, of_time, normed), first_v, block)
        between = same("add", y, x)
        x = b.norm(between, "attn_norm_2", block, op="norm")
        before = shifted(b, of_channels, x)
        store_shift(b, block, concat(last_token(b, normed), last_token(b, x), 1), 2)
        between, x, before = (reshape(part, b.n_embd, b.n_tokens) for part in (between, x, before))
        if block == b.last_block:
            between, x, before = b.outputs_only(between), b.outputs_only(x), b.outputs_only(before)
        x = same("add", channel_mix(b, x, before, block), between)
    return b.logits(x, op="norm")


def build_in_qwen(b):
    """The whole graph of rwkv6qwen2 and arwkv7: mixing over time, then the network of Qwen."""
    x, first_v = b.embeddings(), None
    for block in b.blocks:
        x = reshape(x, b.n_embd, b.n_tokens // b.n_seqs, b.n_seqs)
        shift = load_shift(b, block, 1)
        normed = b.norm(x, "attn_norm", block)
        y, first_v = time_mix(b, normed, shifted(b, shift, normed), first_v, block)
        store_shift(b, block, last_token(b, normed), 1)
        between = reshape(same("add", y, x), b.n_embd, b.n_tokens)
        if block == b.last_block:
            between = b.outputs_only(between)
        x = same("add", b.feed_forward(b.norm(between, "ffn_norm", block), block), between)
    return b.logits(x)


def time_mix(b, x, before, first_v, block):
    if b.model.architecture in ("rwkv7", "arwkv7"):
        return time_mix_7(b, x, before, first_v, block)
    return time_mix_6(b, x, before, block), None


def channel_mix(b, x, before, block):
    change = same("sub", before, x)
    k = same("add", same("mul", change, b.weight("channel_mix_lerp_k.weight", block)), x)
    r = None
    if b.model.architecture == "rwkv6":
        r = same("add", same("mul", change, b.weight("channel_mix_lerp_r.weight", block)), x)
        r = same("unary", b.matrix("channel_mix_receptance", r, block))
    y = b.matrix("channel_mix_value", same("sqr", same("unary", b.matrix("channel_mix_key", k, block))), block)
    return y if r is None else same("mul", r, y)
