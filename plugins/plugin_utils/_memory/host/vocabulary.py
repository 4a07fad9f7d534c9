# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The vocabulary: texts, scores and attributes of the tokens, a map back, and the ranks of the merges (src/llama-vocab.cpp)."""

from __future__ import annotations

TOKEN_BYTES = 576
"""For each token, merges included, from above. Measured with vocab_only of the 19 vocabularies that llama.cpp carries (models/ggml-vocab-*.gguf),
resident set after loading less before: 532 B of nomic-bert-moe (250,048 tokens), 434 of Llama 3, 388 of Gemma 4, 327 of Qwen 2; at most 563 while loading."""


def vocabulary_bytes(model):
    return TOKEN_BYTES * model.n_vocab
