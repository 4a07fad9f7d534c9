# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measures how long reading a model's header takes, next to the reader of the gguf package.

It prints figures and judges none. Run it where this collection and the packages gguf and numpy can be imported:
PYTHONPATH=<directory with ansible_collections> python tests/benchmarks/header.py [tokens [tensors]]
"""

from __future__ import annotations

import os
import pathlib
import random
import sys
import tempfile
import time
import tracemalloc

import gguf

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local

BLOCK_TENSORS = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")


def write_model(path, tokens, tensors):
    """A header with a vocabulary of this size, and a sparse file behind it: the package's reader wants the weights' place."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(1, 14))) for _number in range(tokens)]
    blocks = -(-tensors // len(BLOCK_TENSORS))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Benchmark")
    writer.add_block_count(blocks)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([1] * tokens)
    writer.add_token_merges([f"{word[:1]} {word[1:]}" for word in words])
    shape, size_bytes = (64, 64), 64 * 64 * 2
    names = [f"blk.{block}.{name}.weight" for block in range(blocks) for name in BLOCK_TENSORS][:tensors]
    for name in names:
        writer.add_tensor_info(name, shape, gguf.np.dtype("float16"), size_bytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    header_bytes = -(-os.path.getsize(path) // 32) * 32
    os.truncate(path, header_bytes + len(names) * size_bytes)
    return header_bytes


def best_of(rounds, call):
    """Milliseconds of the fastest round."""
    times = []
    for _round in range(rounds):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def peak_mib(call):
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (1 << 20)


def main():
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else 150_000
    tensors = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    with tempfile.TemporaryDirectory() as directory:
        path = str(pathlib.Path(directory, "model.gguf"))
        header_bytes = write_model(path, tokens, tensors)
        ours, theirs = best_of(10, lambda: read_local(path)), best_of(2, lambda: gguf.GGUFReader(path))
        print(f"header: {tokens} tokens and merges, {tensors} tensors, {header_bytes / (1 << 20):.1f} MiB; Python {sys.version.split()[0]}")
        print(f"  this collection   {ours:9.1f} ms   {peak_mib(lambda: read_local(path)):7.1f} MiB")
        print(f"  gguf.GGUFReader   {theirs:9.1f} ms   {peak_mib(lambda: gguf.GGUFReader(path)):7.1f} MiB")
        print(f"  {theirs / ours:.0f} times as fast")
        write_model(path, 1, tensors)
        print(f"the tensors alone   {best_of(10, lambda: read_local(path)):9.1f} ms")


if __name__ == "__main__":
    main()
