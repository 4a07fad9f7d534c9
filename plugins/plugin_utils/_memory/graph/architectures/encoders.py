# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graphs of BERT and T5.

BERT's blocks norm what attention and the network add up to, and end without logits. T5's blocks add a bias for how far tokens are apart;
those of its decoder attend to what the encoder left too. Other encoders are built like decoders (transformer.py).
Source: src/models/bert.cpp, t5.cpp, t5encoder.cpp; src/llama-graph.cpp (build_pos_bias, build_attn_inp_cross).
"""

from __future__ import annotations

from ..ggml import cont, get_rows, permute, reshape, same, view
from .transformer import TRAITS, q_or_k_norm

BERTS = ("bert", "jina-bert-v2", "jina-bert-v3", "nomic-bert", "nomic-bert-moe")
WITH_ROPE = frozenset({"jina-bert-v3", "nomic-bert", "nomic-bert-moe"})
FLAT = TRAITS["mpt"]  # Q and K are normed with a mean, before they are cut into heads


def build_bert(b):
    """The whole graph of b, a Build."""
    x = b.embeddings()
    if b.has("token_types.weight"):
        x = same("add", x, view(b.weight("token_types.weight"), b.n_embd))
    if b.model.architecture == "bert":
        x = same("add", get_rows(b.needed("position_embd.weight"), b.positions()), x)
    x = b.norm(x, "token_embd_norm", op="norm")
    for block in b.blocks:
        x = bert_block(b, x, block)
    x.output = True
    return b.graph.expand(x)


def bert_block(b, x, block):
    q, k, v = b.qkv(x, block)
    q, k = q_or_k_norm(b, q, "attn_q_norm", block, FLAT), q_or_k_norm(b, k, "attn_k_norm", block, FLAT)
    if b.model.architecture in WITH_ROPE:
        q, k = b.rope(q), b.rope(k)
    y = b.attention_without_cache(q, k, v, block)
    if block == b.last_block:
        x, y = b.outputs_only(x), b.outputs_only(y)
    y = b.norm(same("add", y, x), "attn_output_norm", block, op="norm")
    if b.has("attn_norm_2.weight", block):
        y = b.norm(same("add", y, x), "attn_norm_2", block, op="norm")
    if b.has("ffn_gate_inp.weight", block):
        z = b.experts(y, block, scale=b.model.hyperparameters.get("expert_weights_scale", 0.0) not in (0.0, 1.0))
    else:
        z = b.feed_forward(y, block)
    return b.norm(same("add", z, y), "layer_output_norm", block, op="norm")


def build_t5(b):
    """What is reserved for a T5: the graph of its decoder. The encoder's output is as long as the model was trained for."""
    x = b.embeddings()
    encoded = b.given("cross_embd", "f32", b.n_embd, b.model.n_ctx_train)
    last = b.model.integer("decoder_block_count", b.model.n_layer) - 1
    for block in range(last + 1):
        q, k, v = three(b, b.norm(x, "dec.attn_norm", block), block, "dec.attn")
        cells = b.kv(block)[-1]
        y = b.attention(q, k, v, block, out="dec.attn_o", bias=distance_bias(b, cells, "dec.attn_rel_b.weight", block))
        x = same("add", y, x)
        q, k, v = three(b, b.norm(x, "dec.cross_attn_norm", block), block, "dec.cross_attn", encoded)
        mask = b.given("cross_mask", "f16" if b.settings.flash_attn else "f32", encoded.shape[1], b.n_tokens)
        y = b.attention_without_cache(q, k, v, block, out="dec.cross_attn_o", mask=mask)
        x = t5_network(b, y, x, block, "dec", block == last)
    x = b.norm(x, "dec.output_norm")
    x.output = True
    return b.project(x)


def build_t5_encoder(b):
    x = b.embeddings()
    for block in range(b.model.n_layer):
        q, k, v = three(b, b.norm(x, "enc.attn_norm", block), block, "enc.attn")
        bias = distance_bias(b, b.n_tokens, "enc.attn_rel_b.weight", block)
        y = b.attention_without_cache(q, k, v, block, out="enc.attn_o", bias=bias)
        x = t5_network(b, y, x, block, "enc", block == b.last_block)
    x = b.norm(x, "enc.output_norm")
    x.output = True
    return b.graph.expand(x)


def three(b, x, block, name, encoded=None):
    """Q of the tokens, K and V of the same, or of what the encoder left, by heads."""
    found = []
    for letter, of in (("q", x), ("k", encoded or x), ("v", encoded or x)):
        part = b.matrix(f"{name}_{letter}", of, block)
        heads = b.heads[block] if letter == "q" else b.kv_heads[block]
        found.append(reshape(part, part.shape[0] // heads, heads, of.shape[1]))
    return found


def distance_bias(b, cells, name, block):
    """A bias for each pair of tokens, by their distance; the table of the first block serves those that have none."""
    table = b.weight(name, block) or b.needed(name, 0)
    distances = b.given("pos_bucket", "i32", cells, b.n_tokens)
    rows = get_rows(table, reshape(distances, cells * b.n_tokens))
    return cont(permute(reshape(rows, rows.shape[0], cells, b.n_tokens), 2, 0, 1, 3))


def t5_network(b, y, x, block, part, last):
    if last:
        x, y = b.outputs_only(x), b.outputs_only(y)
    y = same("add", y, x)
    return same("add", b.feed_forward(b.norm(y, f"{part}.ffn_norm", block), block, prefix=f"{part}."), y)
