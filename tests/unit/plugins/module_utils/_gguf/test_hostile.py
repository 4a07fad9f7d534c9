# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Damaged and hostile headers: one clear error each, soon and in little memory."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.model import build_model
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.shards import read_files
from ansible_collections.prositronic.infra.tests.fuzz import bounds
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make

HUGE = 1 << 60


def read(data, size=None):
    return build_model("memory", read_files([make.Memory(data, size)], 1))


def within(data, *tensors):
    """A model with C(data) as its only other key, or with these tensors."""
    return make.header([make.LLAMA, *([data] if data else [])], list(tensors))


def raw_array(kind, count):
    return make.pair("llama.x", make.ARRAY, struct.pack("<IQ", kind, count))


CASES = {
    "empty": (b"", "the file is empty"),
    "one byte": (b"G", "not a GGUF file"),
    "other magic": (b"\x7fELF" + b"\0" * 60, r"not a GGUF file \(got b'\\x7fELF'"),
    "HTML": (b"\n <!DOCTYPE html><html>", "an HTML page"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a git-lfs pointer"),
    "safetensors": (struct.pack("<Q", 90) + b'{"__metadata__":{}}', "a safetensors file"),
    "ZIP": (b"PK\x03\x04" + b"\0" * 40, "a ZIP archive"),
    "before GGUF": (b"tjgg" + b"\0" * 40, "from before GGUF"),
    "magic only": (b"GGUF", "ends within its GGUF header"),
    "version 0": (make.header([make.LLAMA], version=0), "big-endian"),
    "version 1": (make.header([make.LLAMA], version=1), "version 1 is not readable"),
    "version 4": (make.header([make.LLAMA], version=4), "unknown GGUF version"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    "keys 2^60": (make.header([], pair_count=HUGE), "number of keys can't be right"),
    "tensors 2^60": (make.header([make.LLAMA], tensor_count=HUGE), "number of tensors can't be right"),
    "tensors 2^63": (make.header([make.LLAMA], tensor_count=1 << 63), "number of tensors can't be right"),
    "more keys than there are": (make.header([make.LLAMA], pair_count=2), "ends within its GGUF header .in key 2 of 2"),
    "more tensors than there are": (make.header([make.LLAMA], make.TENSORS, tensor_count=4), "in tensor 4 of 4"),
    "key of 2^60": (make.header([struct.pack("<Q", HUGE)]), "a key has an impossible length"),
    "empty key": (within(make.scalar("", "u8", 1)), "a key has an impossible length"),
    "key not UTF-8": (within(make.scalar(b"\xff\xfe", "u8", 1)), "a key is not UTF-8"),
    "key twice": (within(make.LLAMA), "'general.architecture' is there twice"),
    "unknown kind": (within(make.pair("llama.x", 13, b"\0" * 99)), "'llama.x' has an unknown value type"),
    "string of 2^60": (within(make.pair("llama.x", 8, struct.pack("<Q", HUGE))), "metadata is too large"),
    "string of 2^63": (within(make.pair("llama.x", 8, struct.pack("<Q", 1 << 63))), "metadata is too large"),
    "unneeded string of 2^63": (within(make.pair("general.x", 8, struct.pack("<Q", 1 << 63))), "ends within its GGUF header"),
    "string of 2^64-1": (within(make.pair("llama.x", 8, b"\xff" * 8)), "metadata is too large"),
    "unneeded string of 2^60": (within(make.pair("general.x", 8, struct.pack("<Q", HUGE))), "ends within its GGUF header"),
    "array of 2^60": (within(raw_array(4, HUGE)), "metadata is too large"),
    "array of 2^60 strings": (within(raw_array(8, HUGE)), "too many strings"),
    "array of more strings than fit": (within(raw_array(8, 1000)), "ends within its GGUF header"),
    "array of unknown kind": (within(raw_array(77, 1)), "unknown value type"),
    "nested array": (within(raw_array(9, 1)), "array of arrays"),
    "deeply nested array": (within(make.pair("llama.x", 9, struct.pack("<IQ", 9, 1) * 100_000)), "array of arrays"),
    "tokens with one length of 2^60": (
        within(make.pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + make.string("a") + struct.pack("<Q", HUGE) + b"\0" * 64)),
        "ends within its GGUF header",
    ),
    "tokens with the last length of 2^64-1": (
        within(make.pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + make.string("a") + b"\xff" * 8)),
        "ends within its GGUF header",
    ),
    "scores of 2^60": (within(make.pair("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, HUGE))), "ends within its GGUF header"),
    "no architecture": (make.header([make.scalar("general.name", "str", "x")]), "general.architecture is missing"),
    "architecture is a number": (make.header([make.scalar("general.architecture", "u32", 1)]), "no architecture's name"),
    "architecture is a list": (make.header([make.array("general.architecture", "str", ["llama"])]), "no architecture's name"),
    "architecture that does something to a terminal": (make.header([make.scalar("general.architecture", "str", "\x1b[2J")]), "no architecture's name"),
    "architecture is reserved": (make.header([make.scalar("general.architecture", "str", "tokenizer")]), "no architecture's name"),
    "alignment 0": (within(make.scalar("general.alignment", "u32", 0)), "not a power of two"),
    "alignment 48": (within(make.scalar("general.alignment", "u32", 48)), "not a power of two"),
    "alignment as u64": (within(make.scalar("general.alignment", "u64", 32)), "general.alignment has the wrong value type"),
    "alignment as a list": (within(make.array("general.alignment", "u32", [32])), "general.alignment has the wrong value type"),
    "alignment beyond the file": (within(make.scalar("general.alignment", "u32", 1 << 31), make.TENSORS[0]), "ends within its GGUF header"),
    "tensor name of 2^60": (within(None, struct.pack("<Q", HUGE)), "a tensor's name is too long"),
    "tensor name of 64": (within(None, make.tensor("n" * 64, [1])), "a tensor's name is too long"),
    "tensor name not UTF-8": (within(None, make.tensor(b"\xff", [1])), "a tensor's name is not UTF-8"),
    "tensor twice": (within(None, make.tensor("x", [8]), make.tensor("x", [8], offset=32)), "'x' is there twice"),
    "five dimensions": (within(None, make.tensor("x", [1, 1, 1, 1, 1])), "'x' has too many dimensions"),
    "2^32-1 dimensions": (within(None, make.tensor("x", [1], dims=(1 << 32) - 1)), "'x' has too many dimensions"),
    "zero dimension": (within(None, make.tensor("x", [4, 0])), "'x' has an impossible shape"),
    "dimensions that overflow 64 bits to 0": (within(None, make.tensor("x", [1 << 32, 1 << 32])), "'x' has an impossible shape"),
    "dimensions that overflow 64 bits to 8": (within(None, make.tensor("x", [8, 1, (1 << 61) + 1])), "'x' has an impossible shape"),
    "bytes that overflow 64 bits": (within(None, make.tensor("x", [(1 << 63) - 1], 28)), "larger than any file"),
    "overflowing dimensions": (within(None, make.tensor("x", [1 << 32, 1 << 31])), "'x' has an impossible shape"),
    "negative dimension": (within(None, make.tensor("x", [(1 << 64) - 1])), "'x' has an impossible shape"),
    "unknown type": (within(None, make.tensor("x", [8], 43)), "'x' has an unknown type"),
    "negative type": (within(None, make.tensor("x", [8], (1 << 32) - 1)), "'x' has an unknown type"),
    "removed type": (within(None, make.tensor("x", [32], 31)), "type Q4_0_4_4, which llama.cpp reads no more"),
    "row length and block": (within(None, make.tensor("x", [255], make.Q4_K)), r"does not fit its type Q4_K \(got 255, expected a multiple of 256"),
    "offset behind the end of the file": (within(None, make.tensor("x", [8]), make.tensor("y", [8], offset=1 << 40)), "'y' does not begin"),
    "first offset not 0": (within(None, make.tensor("x", [8], offset=32)), "does not begin where"),
    "unaligned offset": (within(None, make.tensor("x", [3]), make.tensor("y", [3], offset=12)), r"'y' does not begin .* \(got offset 12, expected 32"),
    "overlapping offset": (within(None, make.tensor("x", [8]), make.tensor("y", [8])), "'y' does not begin"),
    "offset of 2^64-1": (within(None, make.tensor("x", [8], offset=(1 << 64) - 1)), "does not begin"),
    "sizes that overflow together": (
        within(None, make.tensor("x", [1 << 61]), make.tensor("y", [1 << 61], offset=1 << 63)),
        "larger than any file",
    ),
    "weights cut off": (make.model()[:-1], r"incomplete: part of the weights is missing \(got \d+ bytes, expected at least \d+ bytes"),
    "first byte of weights only": (make.model(weights=False) + b"\0", "incomplete"),
    "padding cut off": (make.header([make.LLAMA], [make.tensor("xy", [8])], alignment=1), "ends within its GGUF header .in the padding"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error(name):
    data, message = CASES[name]
    with pytest.raises(InfraError, match=message) as caught:
        read(data)
    assert str(caught.value).startswith("memory: ")
    assert len(str(caught.value)) < 600
    assert caught.value.fix


@pytest.mark.parametrize("name", CASES)
def test_the_error_comes_soon_and_in_little_memory(name):
    assert bounds.within(lambda: read(CASES[name][0])).startswith("InfraError: memory: ")


# Headers that are as large as they may be, and just too large.
EXPENSIVE = {
    "empty strings": lambda: within(
        make.pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2 << 20) + b"\0" * (8 * (2 << 20) - 8) + struct.pack("<Q", HUGE))
    ),
    "keys": lambda: make.header([make.scalar(f"llama.{number}", "u8", 1) for number in range(65537)]),
    "long keys": lambda: make.header([make.scalar(f"llama.{number}" + "x" * 60_000, "u8", 1) for number in range(100)]),
    "tensors": lambda: make.header([make.LLAMA], [make.tensor(f"tensor-{number}", [8], offset=32 * number) for number in range(65536)])[:-40],
    "small numbers": lambda: within(make.pair("llama.x", 9, struct.pack("<IQ", 0, 1 << 24) + b"\0" * (1 << 24))),
    "kept strings": lambda: within(make.pair("llama.x", 9, struct.pack("<IQ", 8, 1 << 20) + b"\0" * (8 << 20))),
    "lists": lambda: make.header([make.array(f"llama.{number}", "i32", list(range(60_000))) for number in range(20)]),
}


@pytest.mark.parametrize("name", EXPENSIVE)
def test_an_expensive_header_is_refused_soon_and_in_little_memory(name):
    data = EXPENSIVE[name]()
    outcome = bounds.within(lambda: read(data))
    assert outcome.startswith("InfraError: memory: ")


def test_shards_are_not_as_expensive_as_each_of_them():
    keys = [make.scalar(f"llama.{number}", "u8", 1) for number in range(30_000)]

    def shard(number):
        split = [make.scalar("split.no", "u16", number), make.scalar("split.count", "u16", 1000)]
        return make.Memory(make.header([make.LLAMA, *split, *keys]))

    outcome, seconds, _grown_bytes = bounds.apart(lambda: read_files((shard(number) for number in range(1000)), 1000))
    assert "the headers of the shards are too large together" in outcome
    assert seconds < 3 * bounds.SECONDS


def test_a_vocabulary_without_an_end():
    start = within(make.pair("tokenizer.ggml.tokens", make.ARRAY, struct.pack("<IQ", 8, 2 << 20)))
    source = make.Endless(start, "x" * 200)
    outcome = bounds.within(lambda: read_files([source], 1))
    assert "the GGUF header is too large" in outcome


def test_a_header_beyond_the_limit_is_refused():
    text = make.pair("tokenizer.chat_template", 8, struct.pack("<Q", 300 << 20))
    with pytest.raises(InfraError, match="the GGUF header is too large"):
        read(within(text), size=1 << 40)


def outcomes_of_truncations(whole, lengths):
    """What the reader says of the first C(lengths) bytes."""
    outcomes = {}
    for length in lengths:
        try:
            outcomes[length] = read(whole[:length])["header_only"]
        except InfraError as error:
            outcomes[length] = type(error).__name__
    return outcomes


def test_every_truncation_gives_an_error():
    whole, header = make.model(), make.model(weights=False)
    expected = dict.fromkeys(range(len(whole)), "InfraError") | {len(header): True}
    assert bounds.within(lambda: outcomes_of_truncations(whole, range(len(whole))) == expected) == "True"


def test_a_large_header_truncated_at_every_power_of_two_gives_an_error():
    merges = make.pair("tokenizer.ggml.merges", make.ARRAY, struct.pack("<IQ", 8, 1 << 18) + make.string("m" * 52) * (1 << 18))
    whole = make.model(merges, weights=False)
    lengths = [length + more for length in map((1).__lshift__, range(len(whole).bit_length())) for more in (-1, 0, 1) if length + more < len(whole)]
    assert len(lengths) > 60
    assert bounds.within(lambda: set(outcomes_of_truncations(whole, lengths).values())) == "{'InfraError'}"
    assert read(whole)["header_only"] is True


@pytest.mark.parametrize("kind, value", [("f32", float("nan")), ("f64", float("inf")), ("f32", float("-inf")), ("str", b"\xff\xfe\x1b[2J")])
def test_values_that_are_no_numbers_are_read_as_they_are(kind, value):
    read_back = read(within(make.scalar("llama.rope.freq_base", kind, value)))["hyperparameters"]["rope.freq_base"]
    assert read_back == "\ufffd\ufffd\x1b[2J" if kind == "str" else repr(read_back) == repr(value)


def test_names_that_would_do_something_to_a_terminal_are_shown_without_it():
    assert read(make.header([make.LLAMA, make.scalar("general.name", "str", "\x1b[2JM\n\u202ex\x9b")]))["name"] == " [2JM  x "
    for data in (
        within(make.pair("llama.\x1b[2J\u202e", 13, b"\0" * 99)),
        within(None, make.tensor("\x1b[2J\n", [8], 43)),
        make.header([make.LLAMA, *[make.scalar("\x9b", "u8", 1)] * 2]),
    ):
        with pytest.raises(InfraError) as caught:
            read(data)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("count", [100_000, (1 << 64) - 1, -1, 1 << 63, float("nan"), "many", [2], True])
def test_a_number_of_shards_that_cannot_be(count):
    kind = {bool: "bool", float: "f32", str: "str", int: "i64" if count == -1 else "u64"}.get(type(count))
    pair = make.scalar("split.count", kind, count) if kind else make.array("split.count", "u16", count)
    if count is True:
        assert read(within(pair))["architecture"] == "llama"
        return
    assert "one shard of a model split into" in bounds.within(lambda: read(within(pair)))
