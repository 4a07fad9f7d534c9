# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Damaged GGUF headers, made from good ones by someone who knows how they are built.

Everything is drawn from a random.Random, so that a seed makes the same header again; hypothesis has one that it can shrink.
"""

from __future__ import annotations

import pathlib
import re
import struct
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import TYPES
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make

TRUTH = pathlib.Path(__file__).parents[1] / "truth" / "headers"

COUNTS = (0, 1, 2, 7, 255, 256, 65535, 65536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 60, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
FLOATS = (0.0, -1.0, 1.5, 1e30, float("inf"), float("-inf"), float("nan"))
TEXTS = ("", "llama", "a" * 300, "\x1b[2J\n", "\ud7ff\u202e", b"\xff\xfe", b"\0")
RANGES = {"u8": 8, "i8": 8, "u16": 16, "i16": 16, "u32": 32, "i32": 32, "u64": 64, "i64": 64}

# What the memory rules ask for.
KEYS = (
    "attention.head_count", "attention.head_count_kv", "attention.indexer.types", "attention.key_length", "attention.key_length_mla",
    "attention.recurrent_layers", "attention.sliding_window", "attention.sliding_window_pattern", "attention.value_length", "block_count",
    "context_length", "embedding_length", "expert_count", "expert_used_count", "feed_forward_length", "full_attention_interval", "kda.head_dim",
    "leading_dense_block_count", "nextn_predict_layers", "num_loops", "shortconv.l_cache", "ssm.conv_kernel", "ssm.group_count", "ssm.inner_size",
    "ssm.state_size", "token_shift_count", "vocab_size", "wkv.head_size",
)  # fmt: skip
BLOCK_TENSORS = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "attn_qkv", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down", "ffn_up_exps", "*", "")


class Parts(NamedTuple):
    """A header taken apart: the bytes of each key with its value, and of each tensor."""

    architecture: str
    pairs: tuple
    tensors: tuple


def small(architecture="llama", experts=0):
    """A model as small as one can be that the rules still describe."""
    keys = {
        "block_count": 2, "context_length": 512, "embedding_length": 64, "feed_forward_length": 128,
        "attention.head_count": 4, "attention.head_count_kv": 2, "attention.sliding_window": 256, "vocab_size": 128,
    }  # fmt: skip
    if experts:
        keys.update(expert_count=experts, expert_used_count=2, expert_feed_forward_length=32)
    pairs = [make.scalar("general.architecture", "str", architecture), make.scalar("general.name", "str", "Small")]
    pairs += [make.scalar(f"{architecture}.{key}", "u32", value) for key, value in keys.items()]
    pairs.append(make.array("tokenizer.ggml.tokens", "str", ["a", "", "bb"]))
    network = [("ffn_gate", (64, 128)), ("ffn_up", (64, 128)), ("ffn_down", (128, 64))]
    if experts:
        network = [
            ("ffn_gate_inp", (64, experts)),
            ("ffn_gate_exps", (64, 32, experts)),
            ("ffn_up_exps", (64, 32, experts)),
            ("ffn_down_exps", (32, 64, experts)),
        ]
    attention = [("attn_q", (64, 64)), ("attn_k", (64, 32)), ("attn_v", (64, 32)), ("attn_output", (64, 64))]
    norms = [("attn_norm", (64,)), ("ffn_norm", (64,))]
    shapes = {"token_embd.weight": (64, 128), "output_norm.weight": (64,), "output.weight": (64, 128)}
    for block in range(2):
        shapes.update({f"blk.{block}.{name}.weight": shape for name, shape in norms + attention + network})
    tensors, offset = [], 0
    for name, shape in shapes.items():
        tensors.append(make.tensor(name, shape, make.F32, offset))
        elements = 4
        for size in shape:
            elements *= size
        offset += elements
    return Parts(architecture, tuple(pairs), tuple(tensors))


def take_apart(data):
    """The Parts of a good header."""
    _magic, _version, n_tensors, n_pairs = struct.unpack_from("<4sIQQ", data)
    offset, pairs, tensors, architecture = 24, [], [], ""
    for _number in range(n_pairs):
        start = offset
        key, offset = _text(data, offset)
        (kind,) = struct.unpack_from("<I", data, offset)
        value_at = offset + 4
        offset = _behind_value(data, value_at, kind)
        pairs.append(data[start:offset])
        if key == b"general.architecture":
            architecture = _text(data, value_at)[0].decode()
    for _number in range(n_tensors):
        start = offset
        _name, offset = _text(data, offset)
        offset += 4 + 8 * struct.unpack_from("<I", data, offset)[0] + 12
        tensors.append(data[start:offset])
    return Parts(architecture, tuple(pairs), tuple(tensors))


def _text(data, offset):
    end = offset + 8 + struct.unpack_from("<Q", data, offset)[0]
    return data[offset + 8 : end], end


def _behind_value(data, offset, kind):
    if kind == make.KINDS["str"][0]:
        return _text(data, offset)[1]
    if kind != make.ARRAY:
        return offset + _size_of(kind)
    kind, count = struct.unpack_from("<IQ", data, offset)
    offset += 12
    if kind != make.KINDS["str"][0]:
        return offset + count * _size_of(kind)
    for _number in range(count):
        offset = _text(data, offset)[1]
    return offset


def _size_of(kind):
    return next(struct.calcsize(f"<{code}") for number, code in make.KINDS.values() if number == kind)


def bases(with_truth=False):
    """Good headers to start from. With C(with_truth) those of tests/truth too, where they are."""
    found = [small(), small("qwen3moe", 4), small("gemma3"), small("mamba"), small("deepseek2", 4), small("jamba", 4)]
    if with_truth:
        found += [take_apart(path.read_bytes()) for path in sorted(TRUTH.glob("*.gguf"))]
    return found


def damaged(chance, base):
    """The bytes of C(base) with a few things wrong, or of something that only begins like it."""
    pairs, tensors = list(base.pairs), list(base.tensors)
    counts = {}
    for _change in range(_few(chance)):
        chance.choice((_change_pairs, _change_value, _change_value, _change_tensors, _change_tensor, _change_counts))(chance, base, pairs, tensors, counts)
    data = make.header(pairs, tensors, **counts)
    for _change in range(chance.choice((0, 0, 0, 1, 2))):
        data = chance.choice((_flip, _overwrite, _cut, _truncate, _insert, _repeat))(chance, data)
    return data


def _few(chance):
    return chance.choice((0, 1, 1, 1, 2, 3, 6))


def _change_pairs(chance, base, pairs, tensors, counts):
    """A key away, twice, elsewhere, or any value at all under a key that matters."""
    change = chance.randrange(4)
    if change == 0 and pairs:
        del pairs[chance.randrange(len(pairs))]
    elif change == 1 and pairs:
        pairs.insert(chance.randrange(len(pairs) + 1), chance.choice(pairs))
    elif change == 2:
        chance.shuffle(pairs)
    else:
        pairs.append(any_pair(chance, f"{base.architecture}.{chance.choice(KEYS)}"))


def _change_value(chance, base, pairs, tensors, counts):
    """Another value under a key that is there."""
    if pairs:
        place = chance.randrange(len(pairs))
        length = min(struct.unpack_from("<Q", pairs[place])[0], len(pairs[place]))
        pairs[place] = any_pair(chance, pairs[place][8 : 8 + length])


def any_pair(chance, key):
    """C(key) with a value of any kind: possible, absurd, or not a value."""
    shape = chance.randrange(8)
    if shape == 0:
        return make.pair(key, chance.choice((8, 9, 13, 255, (1 << 32) - 1)), struct.pack("<Q", chance.choice(COUNTS)))
    if shape == 1:
        kinds = [number for number, _code in make.KINDS.values()]
        return make.pair(key, make.ARRAY, struct.pack("<IQ", chance.choice((*kinds, 9, 77)), chance.choice(COUNTS)))
    kind = chance.choice(("u32", "u32", *make.KINDS))
    if shape < 5:
        return make.scalar(key, kind, any_value(chance, kind))
    return make.array(key, kind, [any_value(chance, kind) for _number in range(chance.choice((0, 1, 2, 2, 3, 70)))])


def any_value(chance, kind):
    if kind == "str":
        return chance.choice(TEXTS)
    if kind == "bool":
        return chance.random() < 0.5
    if kind in ("f32", "f64"):
        return chance.choice(FLOATS)
    bits = RANGES[kind]
    value = chance.choice((*COUNTS, *range(9))) % (1 << bits)
    return value - (1 << bits) if kind[0] == "i" and value >> (bits - 1) else value


def _change_tensors(chance, base, pairs, tensors, counts):
    change = chance.randrange(4)
    if change == 0 and tensors:
        del tensors[chance.randrange(len(tensors))]
    elif change == 1 and tensors:
        tensors.insert(chance.randrange(len(tensors) + 1), chance.choice(tensors))
    elif change == 2:
        chance.shuffle(tensors)
    else:
        # Without data of their own to place they fit behind any other.
        tensors[:] = [any_tensor(chance, 0)]


def _change_tensor(chance, base, pairs, tensors, counts):
    if tensors:
        place = chance.randrange(len(tensors))
        if chance.randrange(3) == 0:
            name, end = _text(tensors[place], 0)
            other, _end = _text(chance.choice(tensors), 0)
            tensors[place] = make.string(chance.choice((other, re.sub(rb"\.[0-9]+\.", b".*.", name), name + b"x"))) + tensors[place][end:]
            return
        (offset,) = struct.unpack_from("<Q", tensors[place], len(tensors[place]) - 8)
        tensors[place] = any_tensor(chance, offset)


def any_tensor(chance, offset):
    name = chance.choice(
        (
            f"blk.{chance.choice((0, 0, 1, 2, 511, 512, 999999, '*', '00'))}.{chance.choice(BLOCK_TENSORS)}.weight",
            chance.choice(("token_embd.weight", "output.weight", "output_norm.weight", "rope_freqs.weight", "blk.*.attn_q.weight", "")),
            chance.choice((*TEXTS, "n" * 63, "n" * 64, "blk.0.ffn_up_exps,x=CPU.weight")),
        )
    )
    shape = [chance.choice((1, 32, 64, 256, 64, 256, *COUNTS)) for _dim in range(chance.choice((0, 1, 2, 2, 2, 3, 4, 5)))]
    kind = chance.choice((0, 0, *TYPES, 4, 31, 43, (1 << 32) - 1))
    dims = chance.choice((None, None, None, None, 0, 5, (1 << 32) - 1))
    return make.tensor(name, shape, kind, chance.choice((offset, offset, offset, *COUNTS)), dims)


def _change_counts(chance, base, pairs, tensors, counts):
    counts[chance.choice(("pair_count", "tensor_count"))] = chance.choice((*COUNTS, len(pairs) - 1 if pairs else 0, len(tensors) + 1))
    if chance.randrange(4) == 0:
        counts["version"] = chance.choice((0, 1, 2, 4, 3 << 24, (1 << 32) - 1))


def _flip(chance, data):
    if not data:
        return data
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def _overwrite(chance, data):
    place = chance.randrange(len(data) + 1)
    return data[:place] + struct.pack("<Q", chance.choice(COUNTS)) + data[place + 8 :]


def _cut(chance, data):
    place = chance.randrange(len(data) + 1)
    return data[:place] + data[place + chance.randint(1, 40) :]


def _truncate(chance, data):
    return data[: chance.randrange(len(data) + 1)]


def _insert(chance, data):
    place = chance.randrange(len(data) + 1)
    return data[:place] + bytes(chance.randrange(256) for _byte in range(chance.randint(1, 16))) + data[place:]


def _repeat(chance, data):
    place = chance.randrange(len(data) + 1)
    return data[:place] + data[place : place + chance.randint(1, 64)] * 2 + data[place:]
