# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GLM 5 Next: delta attention, and latent attention on pools of tokens that an indexer chooses.

Source: src/models/glm5-next.cpp; src/llama-memory-hybrid-idx.cpp (the pools).
"""

from __future__ import annotations

from ...cache import hybrid, indexer
from .. import ggml
from .. import hyper_connections as hc
from ..ggml import cast, concat, cont, get_rows, mul_mat, permute, repeat, reshape, same, sum_rows, transpose, view
from . import kimi, transformer
from .traits import Traits

ROUTING = Traits(gating=None, norm_weights=None)
POOLS_OF_A_SMALL_BATCH = 16
"""Up to so many tokens the chosen rows are gathered, above that a mask is made of them."""


def build(b):
    """The whole graph of b, a Build."""
    recurrent = hybrid.recurrent_blocks(b.model)
    own = indexer.owners(b.model)
    x = b.embeddings()
    pools = pool_inputs(b)
    x = hc.spread(b, x, b.model.integer("hyper_connection.count"))
    chosen = None
    for block in b.blocks:
        residual = x
        y, how = hc.before(b, x, "hc_attn", block)
        y = b.graph.expand(b.norm(y, "attn_norm", block))
        if recurrent[block]:
            y = kimi.delta_attention(b, y, block)
        else:
            y, chosen = sparse_attention(b, y, pools, chosen, own[block], block)
        x = hc.after(b, y, residual, how, block)
        residual = x
        y, how = hc.before(b, x, "hc_ffn", block)
        y = transformer.network(b, b.norm(y, "ffn_norm", block), block, ROUTING)
        x = hc.after(b, y, residual, how, block)
    return b.logits(hc.mean(b, hc.narrow(b, x)))


def pool_inputs(b):
    """(cells of a pool, new pools, pools, pools to choose, cells to choose); their inputs are kept although nothing may read them."""
    size = b.model.integer("attention.indexer.kpool")
    new = b.settings.n_ctx_seq // size * b.settings.n_seq_max
    pools = max(64, new + 1 + -(new + 1) % 64)
    for name, type_, shape in (
        ("pool_cells", "i32", (pools,)),
        ("pool_members", "i32", (size, pools)),
        ("pool_mask", "f16", (pools, b.n_tokens)),
        ("pool_tail", "i32", (size - 1, b.n_tokens)),
    ):
        b.graph.expand(b.given(name, type_, *shape))
    best = min(pools, b.model.integer("attention.indexer.top_k") // size)
    rows = size * best + (size - 1 if b.model.hyperparameters.get("attention.indexer.kpool_select_tail") else 0)
    b.graph.expand(b.given("gather_mask", "f32", rows, 1, 1, b.n_tokens))
    return size, new, pools, best, rows


def sparse_attention(b, x, pools, chosen, own, block):
    heads, tokens = b.heads[block], b.n_tokens
    compressed = b.norm(mul_mat(b.needed("attn_q_a.weight", block), x), "attn_q_a_norm", block)
    q = mul_mat(b.needed("attn_q_b.weight", block), compressed)
    q = reshape(q, q.shape[0] // heads, heads, tokens)
    k = b.norm(mul_mat(b.needed("attn_kv_a_mqa.weight", block), x), "attn_kv_a_norm", block)
    rank = k.shape[0]
    k = reshape(k, rank, 1, tokens)
    q = permute(mul_mat(b.needed("attn_k_b.weight", block), permute(q, 0, 2, 1, 3)), 0, 2, 1, 3)
    cache, n_kv = b.latent_cache(block, rank)
    mask = b.mask(n_kv)
    if own or chosen is None:
        chosen = choose(b, x, compressed, mask, pools, n_kv, block)
    b.graph.expand(q)
    b.graph.expand(k)
    b.graph.expand(b.store_k(k, cache))
    rows = pools[-1]
    if gathers(b, rows, n_kv):
        y = gathered(b, q, mask, chosen, cache, rows, heads, block)
    else:
        keys = view(cache, rank, 1, n_kv, b.settings.n_stream)
        values = view(cache, rank, 1, n_kv, b.settings.n_stream)
        y = b.attend(q, keys, values, reshape(chosen, *mask.shape), v_mla=b.weight("attn_v_b.weight", block), v_is_k=True)
    return mul_mat(b.needed("attn_output.weight", block), y), chosen


def gathers(b, rows, n_kv):
    return b.n_tokens <= POOLS_OF_A_SMALL_BATCH and n_kv > rows


def choose(b, x, compressed, mask, pools, n_kv, block):
    """A mask that is open for the pools with the highest scores; or their rows."""
    size, new, n_pools, best, rows = pools
    model, tokens = b.model, b.n_tokens
    heads, length = model.integer("attention.indexer.head_count"), model.integer("attention.indexer.key_length")
    q = reshape(mul_mat(b.weight("indexer.attn_q_b.weight", block), compressed), length, heads, tokens)
    k = b.norm(mul_mat(b.weight("indexer.attn_k.weight", block), x), "indexer.k_norm", block, op="norm")
    gate = mul_mat(b.weight("indexer_compressor_gate.weight", block), x)
    packed = concat(concat(k, gate, 0), same("fill", ggml.constant(length, tokens)), 0)
    cache, _n_kv = b.index_cache(block, 3 * length)
    b.graph.expand(b.store_k(reshape(packed, 3 * length, 1, tokens), cache, "_index"))
    cells = cache.shape[1] * cache.shape[2]
    members = get_rows(view(cache, 2 * length, cells), reshape(b.given("new_pools", "i32", size, new), size * new))
    members = reshape(members, 2 * length, size, new)
    scores = cont(permute(same("add", view(members, length, size, new), b.weight("indexer_compressor_ape.weight", block)), 1, 0, 2, 3))
    shares = reshape(same("soft_max", reshape(scores, size, length * new)), size, length, new)
    pooled = sum_rows(same("mul", shares, cont(permute(view(members, length, size, new), 1, 0, 2, 3))))
    b.graph.expand(ggml.set_rows(view(cache, length, cells), reshape(pooled, length, new), b.given("new_pool_rows", "i64", new)))
    pooled = reshape(get_rows(view(cache, length, cells), b.given("pool_cells", "i32", n_pools)), length, 1, n_pools)
    weights = same("scale", mul_mat(b.weight("indexer.proj.weight", block), x))
    score = ggml.result("lightning_indexer", (n_pools, tokens), q, pooled, weights, b.given("pool_mask", "f16", n_pools, tokens))
    top = ggml.top_k(score, best)
    order = ggml.argsort(reshape(get_rows(reshape(score, 1, n_pools, tokens), top), best, tokens))
    top = get_rows(reshape(cast(top, "f32"), 1, best, tokens), order)
    top = cast(cont(reshape(top, best, tokens)), "i32")
    chosen = reshape(get_rows(b.given("pool_members", "i32", size, n_pools), reshape(top, best * tokens)), size * best, tokens)
    if rows > size * best:
        chosen = concat(chosen, b.given("pool_tail", "i32", size - 1, tokens), 0)
    return chosen if gathers(b, rows, n_kv) else opened(b, chosen, mask, rows, n_kv)


def opened(b, chosen, mask, rows, n_kv):
    tokens = b.n_tokens
    seed = cast(view(chosen, 1), "f32")
    closed = repeat(same("fill", seed if mask.type == "f32" else cast(seed, mask.type)), 1, n_kv + rows, tokens)
    closed = reshape(closed, 1, n_kv + rows, tokens)
    zeros = reshape(repeat(same("fill", seed), 1, rows, tokens), 1, rows, tokens)
    live = same("unary", reshape(b.given("gather_mask", "f32", rows, 1, 1, tokens), rows, tokens))
    spare = ggml.result("arange", (rows,))
    numbers = cast(chosen, "f32")
    numbers = same("add", same("mul", same("sub", numbers, spare), live), spare)
    numbers = cast(numbers, "i32")
    found = view(ggml.set_rows(closed, zeros, reshape(numbers, rows, tokens, 1)), n_kv, tokens)
    return same("add", found, reshape(mask, n_kv, tokens))


def gathered(b, q, mask, chosen, cache, rows, heads, block):
    b.graph.expand(mask)
    rank, tokens = cache.shape[0], b.n_tokens
    keys = get_rows(view(cache, rank, cache.shape[1] * cache.shape[2]), reshape(chosen, rows * tokens))
    keys = reshape(keys, rank, rows, 1, tokens)
    scores = mul_mat(keys, permute(q, 0, 2, 3, 1))
    scores = same("soft_max", scores, b.given("gather_mask", "f32", rows, 1, 1, tokens))
    y = mul_mat(b.needed("attn_v_b.weight", block), mul_mat(cont(transpose(keys)), scores))
    return reshape(cont(permute(y, 0, 2, 1, 3)), y.shape[0] * heads, tokens)
