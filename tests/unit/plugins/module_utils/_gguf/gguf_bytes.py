# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Builds GGUF files byte by byte, the impossible ones included."""

from __future__ import annotations

import struct

KINDS = {
    "u8": (0, "B"),
    "i8": (1, "b"),
    "u16": (2, "H"),
    "i16": (3, "h"),
    "u32": (4, "I"),
    "i32": (5, "i"),
    "f32": (6, "f"),
    "bool": (7, "?"),
    "str": (8, None),
    "u64": (10, "Q"),
    "i64": (11, "q"),
    "f64": (12, "d"),
}
ARRAY = 9
F32, Q4_K = 0, 12


def string(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw)) + raw


def pair(key, kind, payload):
    """Any key with any kind of value and any bytes as the value."""
    return string(key) + struct.pack("<I", kind) + payload


def scalar(key, kind, value):
    number, code = KINDS[kind]
    return pair(key, number, string(value) if code is None else struct.pack("<" + code, value))


def array(key, kind, values, count=None):
    number, code = KINDS[kind]
    body = b"".join(string(value) if code is None else struct.pack("<" + code, value) for value in values)
    return pair(key, ARRAY, struct.pack("<IQ", number, len(values) if count is None else count) + body)


def tensor(name, shape, kind=F32, offset=0, dims=None):
    return string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape) if dims is None else dims, *shape, kind, offset)


def header(pairs, tensors=(), version=3, pair_count=None, tensor_count=None, alignment=32):
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors) if tensor_count is None else tensor_count, len(pairs) if pair_count is None else pair_count)
    whole = head + b"".join(pairs) + b"".join(tensors)
    return whole + b"\0" * (-len(whole) % alignment if tensors else 0)


LLAMA = scalar("general.architecture", "str", "llama")


def pairs(*more):
    """The keys of a small model, then C(more)."""
    return [
        LLAMA,
        scalar("general.name", "str", "Tiny Llama"),
        scalar("general.file_type", "u32", 15),
        scalar("llama.block_count", "u32", 2),
        scalar("llama.rope.freq_base", "f32", 10000.0),
        array("llama.attention.head_count_kv", "i32", [2, 1]),
        array("llama.attention.sliding_window_pattern", "bool", [True, False]),
        scalar("tokenizer.ggml.model", "str", "gpt2"),
        array("tokenizer.ggml.tokens", "str", ["a", "b", "", "dd"]),
        array("tokenizer.ggml.scores", "f32", [0.0, 1.0, 2.0, 3.0]),
        scalar("tokenizer.chat_template", "str", "{{ messages }}"),
        *more,
    ]


# Data of 4 * 256/256 * 144 bytes, then twice 256 * 4.
TENSORS = [
    tensor("token_embd.weight", [256, 4], Q4_K, 0),
    tensor("blk.0.attn_norm.weight", [256], F32, 576),
    tensor("blk.1.attn_norm.weight", [256], F32, 576 + 1024),
]
DATA_BYTES = 576 + 2 * 1024


def model(*more, weights=True):
    """A small model; C(weights): with the bytes of its tensors."""
    return header(pairs(*more), TENSORS) + b"\0" * (DATA_BYTES if weights else 0)


def shards(weights=True, count=3):
    """The files of a split model as llama.cpp's gguf-split writes them: the first one has all the metadata."""
    files = []
    for number in range(count):
        keys = [
            scalar("split.no", "u16", number),
            scalar("split.count", "u16", count),
            scalar("split.tensors.count", "i32", count - 1),
        ]
        tensors = [] if number == 0 else [tensor(f"blk.{number - 1}.ffn_up.weight", [256, 2], Q4_K)]
        files.append(header(pairs(*keys) if number == 0 else keys, tensors) + b"\0" * (288 if tensors and weights else 0))
    return files


class Memory:
    """A source that counts what is read from it."""

    label = "memory"
    path = "/memory.gguf"
    url = None
    sha256 = None

    def __init__(self, data, size=None):
        self._data = data
        self.size = len(data) if size is None else size
        self.read_bytes = self.reads = 0

    def read_at(self, offset, length):
        chunk = self._data[offset : offset + length]
        self.read_bytes += len(chunk)
        self.reads += 1
        return chunk

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass


class Endless(Memory):
    """A file of any size: after C(data) the same string over and over, as far as one reads."""

    def __init__(self, data, text):
        super().__init__(data, size=1 << 60)
        self._text = string(text)

    def read_at(self, offset, length):
        behind = max(offset - len(self._data), 0)
        repeated = self._text * (length // len(self._text) + 2)
        return (self._data[offset:] + repeated[behind % len(self._text) :])[:length]
