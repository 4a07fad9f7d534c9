#!/usr/bin/env python3
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write a tiny llama model for trying things out: a real GGUF file with random weights.

It is a complete model for llama.cpp (4 layers, grouped-query attention, byte-level BPE vocabulary,
chat template), so a server loads it and answers, in printable ASCII and without any sense.
The same seed gives the same bytes. Needs the Python packages gguf and numpy.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

try:
    import gguf
    import numpy
except ImportError as error:
    sys.exit(f"tiny_model.py needs the Python packages gguf and numpy ({error}). Install them with: pip install gguf numpy")

LAYERS = 4
CONTEXT = 4096
EMBEDDING = 256
FEED_FORWARD = 1280
HEADS = 8
HEADS_KV = 2
HEAD_SIZE = EMBEDDING // HEADS
SPECIAL_TOKENS = ["<|bos|>", "<|im_start|>", "<|im_end|>"]
# llama.cpp refuses a BPE vocabulary without merges, so there is one.
MERGE = ("t", "h")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def byte_alphabet():
    """The 256 characters that stand for the 256 bytes in a byte-level BPE vocabulary, in byte order."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in own else chr(next(others)) for byte in range(256)]


class Weights:
    """Random matrices from one seed, the same on every machine and numpy version."""

    def __init__(self, seed):
        # Only the raw output of a bit generator is promised to stay the same between numpy versions.
        self._bits = numpy.random.PCG64(seed)

    def matrix(self, rows, columns, spread):
        raw = self._bits.random_raw(rows * columns)
        uniform = (raw >> numpy.uint64(40)).astype(numpy.float32) / numpy.float32(1 << 24)
        return ((uniform * 2 - 1) * numpy.float32(spread)).reshape(rows, columns).astype(numpy.float16)


def add_vocabulary(writer):
    alphabet = byte_alphabet()
    tokens = alphabet + ["".join(MERGE)] + SPECIAL_TOKENS
    types = [gguf.TokenType.NORMAL] * (len(tokens) - len(SPECIAL_TOKENS)) + [gguf.TokenType.CONTROL] * len(SPECIAL_TOKENS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(MERGE)])
    writer.add_bos_token_id(tokens.index("<|bos|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    return tokens


def add_tensors(writer, tokens, seed):
    weights = Weights(seed)
    ones = numpy.ones(EMBEDDING, dtype=numpy.float32)
    small = EMBEDDING**-0.5

    output = weights.matrix(len(tokens), EMBEDDING, 0.3)
    for index in range(len(tokens)):
        # A row of zeros is never among the likeliest tokens: answers are printable and end by length.
        if not 0x20 <= index <= 0x7E:
            output[index] = 0

    writer.add_tensor("token_embd.weight", weights.matrix(len(tokens), EMBEDDING, 1.0))
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        writer.add_tensor(prefix + "attn_norm.weight", ones)
        writer.add_tensor(prefix + "attn_q.weight", weights.matrix(HEADS * HEAD_SIZE, EMBEDDING, small))
        writer.add_tensor(prefix + "attn_k.weight", weights.matrix(HEADS_KV * HEAD_SIZE, EMBEDDING, small))
        writer.add_tensor(prefix + "attn_v.weight", weights.matrix(HEADS_KV * HEAD_SIZE, EMBEDDING, small))
        writer.add_tensor(prefix + "attn_output.weight", weights.matrix(EMBEDDING, HEADS * HEAD_SIZE, small))
        writer.add_tensor(prefix + "ffn_norm.weight", ones)
        writer.add_tensor(prefix + "ffn_gate.weight", weights.matrix(FEED_FORWARD, EMBEDDING, small))
        writer.add_tensor(prefix + "ffn_up.weight", weights.matrix(FEED_FORWARD, EMBEDDING, small))
        writer.add_tensor(prefix + "ffn_down.weight", weights.matrix(EMBEDDING, FEED_FORWARD, small))
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output)


def write_model(path, seed):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name("Tiny random llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS_KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD_SIZE)
    writer.add_rope_freq_base(10000.0)
    add_tensors(writer, add_vocabulary(writer), seed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(argv=None):
    parser = argparse.ArgumentParser(description="Write a tiny llama model with random weights as a GGUF file.")
    parser.add_argument("out", type=Path, help="the file to write, for example tiny.gguf; an existing one is replaced")
    parser.add_argument("--seed", type=int, default=1, help="the weights' seed, 0 or more (default: 1)")
    arguments = parser.parse_args(argv)
    if arguments.seed < 0:
        parser.error("--seed must be 0 or more")
    if not arguments.out.absolute().parent.is_dir():
        parser.error(f"the folder of {arguments.out} does not exist")

    # Written beside and renamed, so that nobody meets half a model.
    part = arguments.out.with_name(f".{arguments.out.name}.part-{os.getpid()}")
    try:
        write_model(part, arguments.seed)
        part.replace(arguments.out)
    finally:
        part.unlink(missing_ok=True)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, seed {arguments.seed}")


if __name__ == "__main__":
    main()
