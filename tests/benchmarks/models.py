# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Headers to measure with: those of tests/truth, which have no vocabulary, and the same with one."""

from __future__ import annotations

import pathlib
import random

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import TYPES
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes

HEADERS = pathlib.Path(__file__).parents[1] / "truth" / "headers"
ALIGNMENT = 32
NUMBER_OF_TYPE = {entry.name: number for number, entry in TYPES.items()}
KINDS = {bool: "bool", int: "u32", float: "f32", str: "str"}


def truth(name):
    """The path of a header of tests/truth."""
    return str(HEADERS / f"{name}.gguf")


def possible(names, ask):
    """(name, model) of those of C(names) that C(ask), given the model, does not refuse; says so of the others."""
    for name in names:
        model = read_model(truth(name))
        try:
            ask(model)
        except InfraError as error:
            print(f"{name}: not yet: {str(error).partition(' (expected')[0]}")
            continue
        yield name, model


def llama(blocks, tokens):
    """(header, size of the whole file) of a dense model with nine tensors in each block, all of one small size."""
    names = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")
    tensors = [(f"blk.{block}.{name}.weight", [64, 64], "F16", 64 * 64 * 2) for block in range(blocks) for name in names]
    return _file("llama", {"block_count": blocks}, tensors, tokens)


def with_vocabulary(name, tokens):
    """(header, size of the whole file) of a model of tests/truth, with a vocabulary of random words."""
    model = read_model(truth(name))
    tensors = [
        (row["name"] if block is None else row["name"].replace("*", str(block), 1), row["shape"], row["type"], row["size_bytes"])
        for row in model["tensors"]
        for block in ([None] if row["blocks"] is None else _blocks(row["blocks"]))
    ]
    return _file(model["architecture"], model["hyperparameters"], tensors, tokens)


def _file(architecture, hyperparameters, tensors, tokens):
    pairs = [gguf_bytes.scalar("general.architecture", "str", architecture), gguf_bytes.scalar("general.name", "str", "Benchmark")]
    pairs += [_pair(f"{architecture}.{key}", value) for key, value in hyperparameters.items()]
    pairs += _vocabulary(tokens)
    table, end = [], 0
    for name, shape, kind, size_bytes in tensors:
        table.append(gguf_bytes.tensor(name, shape, NUMBER_OF_TYPE[kind], end))
        end += -(-size_bytes // ALIGNMENT) * ALIGNMENT
    header = gguf_bytes.header(pairs, table, alignment=ALIGNMENT)
    return header, len(header) + end


def _pair(key, value):
    if isinstance(value, list):
        return gguf_bytes.array(key, KINDS[type(value[0])], value)
    return gguf_bytes.scalar(key, KINDS[type(value)], value)


def _vocabulary(tokens):
    """Tokens, their types and as many merges, and a chat template: what converted models with a BPE vocabulary have."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(1, 14))) for _number in range(tokens)]
    return [
        gguf_bytes.scalar("tokenizer.ggml.model", "str", "gpt2"),
        gguf_bytes.array("tokenizer.ggml.tokens", "str", words),
        gguf_bytes.array("tokenizer.ggml.token_type", "i32", [1] * tokens),
        gguf_bytes.array("tokenizer.ggml.merges", "str", [f"{word[:1]} {word[1:]}" for word in words]),
        gguf_bytes.scalar("tokenizer.chat_template", "str", "{{ messages }}" * 300),
    ]


def _blocks(text):
    """'0-2,5' -> 0, 1, 2, 5"""
    for part in text.split(","):
        first, _dash, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
