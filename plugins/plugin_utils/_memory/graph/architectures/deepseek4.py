# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graph of DeepSeek V4: a window of the last tokens, and rows that many earlier tokens were compressed into.

Fine rows stand for 4 tokens and overlap, and an indexer with compressed rows of its own chooses among them; coarse rows stand for 128 and
all are seen. Tokens that don't fill a row yet are kept in a state. Each slot has a stream of its own, whether the cache is unified or not.

Source: src/models/deepseek4.cpp, src/llama-kv-cache-dsv4.cpp (dsv4_build_reserve_comp_plan, llama_dsv4_comp_state).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...cache import compressed
from ...settings import cache_row_bytes
from .. import ggml
from .. import hyper_connections as hc
from ..ggml import concat, cont, get_rows, mul_mat, permute, reshape, same, set_rows, sum_rows, view
from . import latent, transformer
from .sparse_latent import rotation_size


@dataclass(frozen=True)
class Rows:
    """A kind of compressed rows: tokens in one, its tensors, and how many states each slot keeps."""

    name: str
    ratio: int
    tensors: str
    states: int
    overlap: bool


FINE = Rows("csa", compressed.FINE, "attn_compressor", compressed.OVERLAP * compressed.FINE, True)
INDEX = Rows("lid", compressed.FINE, "indexer_compressor", compressed.OVERLAP * compressed.FINE, True)
COARSE = Rows("hca", compressed.COARSE, "attn_compressor", compressed.COARSE, False)


def build(b):
    """The whole graph of b, a Build."""
    x = b.embeddings()
    b.graph.expand(window_mask(b))
    x = hc.spread(b, x, b.model.integer("hyper_connection.count"))
    for block in b.blocks:
        x = b.pinned(decoder_block(b, x, block), block)
    return b.logits(head(b, x))


def decoder_block(b, x, block):
    residual = x
    y, how = hc.before(b, x, "hc_attn", block)
    y = attention(b, b.norm(y, "attn_norm", block), block)
    x = hc.after(b, y, residual, how, block)
    residual = x
    y, how = hc.before(b, x, "hc_ffn", block)
    if block <= b.last_block:
        for part in (residual, *how):
            b.graph.expand(part)
    return hc.after(b, network(b, b.norm(y, "ffn_norm", block), block), residual, how, block)


def head(b, x):
    """The rows of a token made one."""
    x = hc.narrow(b, x)
    count, tokens = x.shape[1], x.shape[2]
    weights = mul_mat(b.needed("output_hc_fn.weight"), same("rms_norm", reshape(x, count * b.n_embd, tokens)))
    weights = same("scale", same("unary", hc.affine(weights, b.weight("output_hc_scale.weight"), b.weight("output_hc_base.weight"))))
    return hc.weighted(b, x, weights, None)


def network(b, x, block):
    """Experts; in the first blocks they may be chosen by the token itself."""
    if not b.has("ffn_gate_tid2eid.weight", block):
        return transformer.network(b, x, block, latent.TRAITS)
    ids = get_rows(b.weight("ffn_gate_tid2eid.weight", block), b.tokens)
    y = transformer.routed(b, x, block, latent.TRAITS, ids=ids)
    return same("add", y, b.feed_forward(x, block, suffix="_shexp"))


# ---- attention ----


def attention(b, x, block):
    heads, length, tokens = b.heads[block], b.k_length, b.n_tokens
    ratio = b.model.per_layer("attention.compress_ratios")[block]
    narrow = b.norm(b.matrix("attn_q_a", x, block), "attn_q_a_norm", block)
    q = b.rope(same("rms_norm", reshape(b.matrix("attn_q_b", narrow, block), length, heads, tokens)))
    kv = b.rope(reshape(b.norm(b.matrix("attn_kv", x, block), "attn_kv_a_norm", block), length, 1, tokens))
    if ratio == FINE.ratio:
        compress(b, x, FINE, block)
        compress(b, x, INDEX, block)
        chosen = choose(b, x, narrow, block)
    elif ratio == COARSE.ratio:
        compress(b, x, COARSE, block)
    rotation = b.rotation("k", length, b.settings.cache_type_k)
    q, kv = b.rotated(q, rotation), b.rotated(kv, rotation)
    b.graph.expand(q)
    b.graph.expand(kv)
    cache, cells = window(b, block)
    b.graph.expand(b.store_k(kv, cache))
    keys, mask = view(cache, length, 1, cells, streams(b)), window_mask(b)
    if ratio == FINE.ratio:
        keys = with_rows(b, keys, FINE, block)
        mask = concat(mask, opened(mask_of(b, FINE), chosen), 0)
    elif ratio == COARSE.ratio:
        keys = with_rows(b, keys, COARSE, block)
        mask = concat(mask, mask_of(b, COARSE), 0)
    y = b.rotated(b.attend(q, keys, keys, mask, sinks=b.weight("attn_sinks.weight", block), v_is_k=True), rotation)
    groups = b.model.integer("attention.output_group_count")
    y = b.rope(reshape(y, length, heads, tokens))
    y = permute(reshape(y, heads // groups * length, groups, tokens), 0, 2, 1, 3)
    y = permute(mul_mat(b.needed("attn_output_a.weight", block), y), 0, 2, 1, 3)
    return b.matrix("attn_output_b", cont(y, y.shape[0] * groups, tokens), block)


def with_rows(b, keys, rows, block):
    cache, cells = cache_of(b, rows, block)
    return concat(keys, view(cache, b.k_length, 1, cells, b.n_seqs), 2)


def window(b, block):
    """(the cache of the last tokens of a block, its cells in each stream)"""
    return stored(b, block, "window", b.k_length, window_cells(b)), window_cells(b)


def streams(b):
    return b.settings.n_stream if b.settings.mtp == "context" else b.n_seqs


def window_cells(b):
    rule = compressed.next_token_cells if b.settings.mtp == "context" else compressed.window_cells
    return rule(b.model, b.settings)


def window_mask(b):
    return mask_with(b, "mask", window_cells(b))


def mask_with(b, name, cells, flash=None):
    flash = b.settings.flash_attn if flash is None else flash
    return b.given(name, "f16" if flash else "f32", cells, b.n_tokens // streams(b), 1, streams(b))


def mask_of(b, rows):
    return mask_with(b, f"mask_{rows.name}", compressed.cells(b.settings, rows.ratio), flash=rows is INDEX or None)


def opened(mask, chosen):
    """The mask C(mask), closed but for the rows C(chosen)."""
    cells, tokens, _one, slots = mask.shape
    closed = view(same("fill", mask), 1, cells, tokens, slots)
    count = chosen.shape[0]
    open_ = same("fill", ggml.Tensor("none", mask.type, (1, count, tokens, slots)))
    found = set_rows(closed, open_, view(chosen, count, tokens, slots))
    return same("add", view(found, cells, tokens, 1, slots), mask)


def choose(b, x, narrow, block):
    """The fine rows with the highest scores, for each token."""
    model, slots = b.model, b.n_seqs
    heads, length = model.integer("attention.indexer.head_count"), model.integer("attention.indexer.key_length")
    tokens = b.n_tokens // slots
    q = b.rope(reshape(b.matrix("indexer.attn_q_b", narrow, block), length, heads, b.n_tokens))
    q = b.rotated(q, index_rotation(b, length))
    weights = same("scale", b.matrix("indexer.proj", x, block))
    cache, cells = cache_of(b, INDEX, block)
    keys = view(cache, length, 1, cells, slots)
    q, weights = view(q, length, heads, tokens, slots), view(weights, heads, tokens, 1, slots)
    score = ggml.result("lightning_indexer", (cells, tokens, 1, slots), q, keys, weights, mask_of(b, INDEX))
    return cont(ggml.top_k(score, min(cells, model.integer("attention.indexer.top_k"))))


def index_rotation(b, length):
    return b.given("index_rot", "f32", rotation_size(length), rotation_size(length))


# ---- compression ----


def compress(b, x, rows, block):
    """Tokens go into the state, and from there, where they fill one, into a row of the cache."""
    graph, name, settings = b.graph, rows.name, b.settings
    length = b.model.integer("attention.indexer.key_length") if rows is INDEX else b.k_length
    values = b.matrix(f"{rows.tensors}_kv", x, block)
    scores = b.matrix(f"{rows.tensors}_gate", x, block)
    scores = same("add", scores, get_rows(b.needed(f"{rows.tensors}_ape.weight", block), b.given(f"{name}_state_pos", "i32", b.n_tokens)))
    width, kept = values.shape[0], rows.states * b.n_seqs
    before = [restored(b, leaf, rows, width) for leaf in states(b, rows, block, width)]
    sources = [concat(view(state, width, kept), new, 1) for state, new in zip(before, (values, scores), strict=True)]
    row = pooled(b, *sources, rows, length, block)
    rotation = index_rotation(b, length) if rows is INDEX else b.rotation("k", length, settings.cache_type_k, f"_{name}")
    row = b.rotated(row, rotation)
    cache, _cells = cache_of(b, rows, block)
    target = reshape(cache, cache.shape[0], cache.shape[1] * cache.shape[2]) if cache.shape[2] > 1 else cache
    graph.expand(set_rows(target, view(row, length, row.shape[2]), b.given(f"{name}_write", "i64", row.shape[2])))
    if settings.n_rs_seq:
        for state, new in zip(before, (values, scores), strict=True):
            count = kept * settings.n_rs_seq
            found = get_rows(concat(state, new, 1), b.given(f"{name}_snapshot_from", "i32", count))
            graph.expand(set_rows(whole(state), found, b.given(f"{name}_snapshot_to", "i32", count)))
    count = min(b.n_tokens, kept)
    chosen = [get_rows(new, b.given(f"{name}_persist_from", "i32", count)) for new in (values, scores)]
    for persisted in [set_rows(whole(state), new, b.given(f"{name}_persist_to", "i32", count)) for state, new in zip(before, chosen, strict=True)]:
        graph.expand(persisted)


def whole(state):
    """A look at all states, earlier ones included."""
    leaf = state.root or state
    return view(leaf, leaf.shape[0], leaf.shape[1], packed=True)


def restored(b, leaf, rows, width):
    state = whole(leaf)
    if not b.settings.n_rs_seq:
        return state
    count = rows.states * b.n_seqs
    found = get_rows(state, b.given(f"{rows.name}_restore_from", "i32", count))
    return set_rows(whole(leaf), found, b.given(f"{rows.name}_restore_to", "i32", count))


def pooled(b, values, scores, rows, length, block):
    """The rows of as many tokens as a micro-batch and its slots can fill."""
    count = b.n_tokens // rows.ratio + b.n_seqs
    read = b.given(f"{rows.name}_read", "i32", (1 + rows.overlap) * rows.ratio * count)
    if rows.overlap:
        values, scores = overlapping(values, scores, read, rows.ratio, count, length)
    else:
        values, scores = (reshape(get_rows(part, read), length, rows.ratio, count) for part in (values, scores))
    values, scores = (cont(permute(part, 1, 0, 2, 3)) for part in (values, scores))
    row = sum_rows(same("mul", values, same("soft_max", scores)))
    row = b.norm(cont(permute(row, 1, 0, 2, 3)), f"{rows.tensors}_norm", block)
    return same("rope", row, b.given(f"{rows.name}_pos", "i32", count))


def overlapping(values, scores, read, ratio, count, length):
    """The first half of each row of the tokens before, the second half of those of the row's own; an empty row serves where there are none."""
    found = [get_rows(with_empty_row(part), read) for part in (values, scores)]
    parts = [[reshape(cont(view(part, length, ratio * count)), length, ratio, count) for part in found] for _half in range(2)]
    return tuple(concat(before, own, 1) for before, own in zip(*parts, strict=True))


def with_empty_row(x):
    return concat(x, reshape(same("scale", view(x, x.shape[0])), x.shape[0], 1), 1)


# ---- memory ----


def cache_of(b, rows, block):
    """(the cache of compressed rows of a block, its cells in each stream)"""
    cells = compressed.cells(b.settings, rows.ratio)
    length = b.model.integer("attention.indexer.key_length") if rows is INDEX else b.k_length
    return stored(b, block, rows.name, length, cells), cells


def stored(b, block, kind, width, cells):
    settings = b.settings
    size = cells * streams(b) * cache_row_bytes(width, settings.cache_type_k)
    return b.kept(block, kind, lambda: ggml.leaf_cache((width, cells, streams(b)), size, home(b, block), settings.cache_type_k))


def states(b, rows, block, width):
    """The leafs of values and scores of what is being compressed."""
    count = rows.states * b.n_seqs * (1 + b.settings.n_rs_seq)
    return tuple(
        b.kept(block, f"{rows.name}_{part}", lambda: ggml.leaf_cache((width, count), 4 * width * count, home(b, block))) for part in ("values", "scores")
    )


def home(b, block):
    return b.backend_of(block) if b.settings.kv_offload else b.host
