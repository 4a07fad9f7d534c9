# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is read of a valid header, and how little of the file that takes."""

from __future__ import annotations

import gguf
import numpy
import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.cursor import FIRST_READ_BYTES
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import LocalFile
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.metadata import Skipped
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.reader import read_header
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make


def test_a_small_model():
    header = read_header(make.Memory(make.model()))
    assert (header.version, header.alignment, header.header_only) == (3, 32, False)
    assert header.data_offset == len(make.model(weights=False))
    assert header.size_bytes == len(make.model())
    assert header.metadata["llama.attention.head_count_kv"] == [2, 1]
    assert header.metadata["tokenizer.ggml.tokens"] == Skipped(4)
    names = [(tensor.name, tensor.type.name, tensor.shape, tensor.elements, tensor.size_bytes) for tensor in header.tensors]
    assert names == [
        ("token_embd.weight", "Q4_K", (256, 4), 1024, 576),
        ("blk.0.attn_norm.weight", "F32", (256,), 256, 1024),
        ("blk.1.attn_norm.weight", "F32", (256,), 256, 1024),
    ]


@pytest.mark.parametrize(
    "kind, values",
    [
        ("u8", [0, 255]),
        ("i8", [-128, 127]),
        ("u16", [0, 65535]),
        ("i16", [-32768, 32767]),
        ("u32", [0, 2**32 - 1]),
        ("i32", [-(2**31), 2**31 - 1]),
        ("f32", [0.5, -1.25]),
        ("bool", [True, False]),
        ("str", ["", "größe"]),
        ("u64", [0, 2**64 - 1]),
        ("i64", [-(2**63), 2**63 - 1]),
        ("f64", [0.1, 1e300]),
    ],
)
def test_every_kind_of_value(kind, values):
    pairs = [make.scalar(f"llama.{index}", kind, value) for index, value in enumerate(values)]
    metadata = read_header(make.Memory(make.header([make.LLAMA, *pairs, make.array("llama.list", kind, values)]))).metadata
    assert [metadata["llama.0"], metadata["llama.1"]] == metadata["llama.list"] == values
    assert {type(value) for value in metadata["llama.list"]} == {type(values[0])}


def test_what_the_gguf_package_writes(tmp_path):
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("written")
    writer.add_block_count(3)
    writer.add_head_count_kv([1, 2, 3])
    writer.add_token_list([f"token{number}" for number in range(1000)])
    writer.add_custom_alignment(64)
    writer.add_tensor("output.weight", numpy.zeros((10, 512), numpy.float16))
    writer.add_tensor("output_norm.weight", numpy.zeros(3, numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with LocalFile(str(path)) as source:
        header = read_header(source)
    assert (header.alignment, header.header_only) == (64, False)
    assert header.size_bytes == path.stat().st_size
    assert header.data_offset == gguf.GGUFReader(path).data_offset
    assert header.metadata["llama.attention.head_count_kv"] == [1, 2, 3]
    assert header.metadata["tokenizer.ggml.tokens"].count == 1000
    assert [(tensor.name, tensor.shape) for tensor in header.tensors] == [("output.weight", (512, 10)), ("output_norm.weight", (3,))]


def test_version_2_reads_alike():
    pairs = make.pairs()
    assert read_header(make.Memory(make.header(pairs, version=2))).version == 2


def test_data_of_one_tensor_may_end_without_padding():
    data = make.header([make.LLAMA], [make.tensor("x", [3])])
    header = read_header(make.Memory(data + b"\0" * 12))
    assert not header.header_only
    assert header.size_bytes == len(data) + 32


def test_a_tensor_without_dimensions_has_one_element():
    data = make.header([make.LLAMA], [make.tensor("x", [])])
    (tensor,) = read_header(make.Memory(data)).tensors
    assert (tensor.shape, tensor.elements, tensor.size_bytes) == ((1,), 1, 4)


def test_the_weights_are_not_read():
    source = make.Memory(make.model(), size=1 << 40)
    assert read_header(source).header_only is False
    assert source.read_bytes <= FIRST_READ_BYTES


@pytest.mark.parametrize("count", [1_000, 20_000, 60_000, 200_000])
@pytest.mark.parametrize("length", [lambda index: 7, lambda index: index % 30, lambda index: 1 + index // 10_000])
def test_of_a_vocabulary_little_more_is_read_than_there_is(count, length):
    tokens = make.array("tokenizer.ggml.tokens", "str", [b"t" * length(index) for index in range(count)])
    data = make.header([*make.pairs()[:8], tokens], make.TENSORS)
    source = make.Memory(data + bytes(8 * FIRST_READ_BYTES), size=1 << 40)
    assert read_header(source).metadata["tokenizer.ggml.tokens"] == Skipped(count)
    assert source.read_bytes <= len(data) + 2 * FIRST_READ_BYTES
    assert source.reads <= 7


def test_a_vocabulary_longer_than_any_window_is_stepped_over():
    tokens = make.array("tokenizer.ggml.tokens", "str", [b"t" * (index % 50) for index in range(60000)])
    long = make.array("tokenizer.ggml.merges", "str", ["m" * 600_000, "n" * 100])
    data = make.header([*make.pairs()[:8], tokens, long, make.scalar("llama.last", "u8", 7)], make.TENSORS)
    source = make.Memory(data, size=len(data) + (1 << 30))
    header = read_header(source)
    assert header.metadata["tokenizer.ggml.tokens"] == Skipped(60000)
    assert header.metadata["tokenizer.ggml.merges"] == Skipped(2)
    assert header.metadata["llama.last"] == 7
    assert header.data_offset == len(data)


def test_numbers_that_nobody_needs_are_not_even_fetched():
    scores = make.array("tokenizer.ggml.scores", "f64", [0.0] * 500_000)
    source = make.Memory(make.header([make.LLAMA, scores, make.scalar("llama.last", "u8", 7)]))
    assert read_header(source).metadata["llama.last"] == 7
    assert source.read_bytes < source.size / 4


def test_invalid_utf8_in_a_text_is_replaced():
    assert read_header(make.Memory(make.header([make.LLAMA, make.scalar("general.name", "str", b"a\xff")]))).metadata["general.name"] == "a\ufffd"
