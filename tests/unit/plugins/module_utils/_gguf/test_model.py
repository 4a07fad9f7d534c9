# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.model import build_model
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.shards import read_files
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make


def read(data):
    return build_model("memory", read_files([make.Memory(data)], 1))


def test_the_whole_model():
    assert read(make.model(make.scalar("llama.context_length", "u32", 4096))) == {
        "schema": 1,
        "source": "memory",
        "type": "model",
        "name": "Tiny Llama",
        "architecture": "llama",
        "quantization": "Q4_K_M",
        "parameters": 1024 + 256 + 256,
        "size_bytes": len(make.model(make.scalar("llama.context_length", "u32", 4096))),
        "header_only": False,
        "files": [
            {
                "path": "/memory.gguf",
                "url": None,
                "size_bytes": len(make.model(make.scalar("llama.context_length", "u32", 4096))),
                "header_bytes": len(make.model(make.scalar("llama.context_length", "u32", 4096), weights=False)),
            }
        ],
        "gguf": {"version": 3, "alignment": 32},
        "hyperparameters": {
            "block_count": 2,
            "rope.freq_base": 10000.0,
            "attention.head_count_kv": [2, 1],
            "attention.sliding_window_pattern": [True, False],
            "context_length": 4096,
            "vocab_size": 4,
        },
        "tokenizer": {"model": "gpt2", "tokens": 4, "chat_template": True},
        "tensors": [
            {"name": "token_embd.weight", "blocks": None, "type": "Q4_K", "shape": [256, 4], "size_bytes": 576},
            {"name": "blk.*.attn_norm.weight", "blocks": "0-1", "type": "F32", "shape": [256], "size_bytes": 1024},
        ],
    }


def test_only_plain_values():
    model = read(make.model())
    assert json.loads(json.dumps(model)) == model

    def kinds(value):
        yield type(value)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from kinds(item)

    assert set(kinds(model)) == {dict, list, str, int, float, bool, type(None)}


def test_the_keys_of_the_architecture_may_come_before_its_name():
    model = read(
        make.header([make.scalar("qwen3.block_count", "u32", 5), make.scalar("other.x", "u8", 1), make.scalar("general.architecture", "str", "qwen3")])
    )
    assert model["hyperparameters"] == {"block_count": 5}


def test_a_vocab_size_in_the_file_is_kept():
    assert read(make.model(make.scalar("llama.vocab_size", "u32", 99)))["hyperparameters"]["vocab_size"] == 99


def test_without_a_vocabulary():
    model = read(make.header([make.LLAMA]))
    assert model["tokenizer"] == {"model": None, "tokens": 0, "chat_template": False}
    assert model["hyperparameters"] == {}
    assert (model["quantization"], model["parameters"], model["header_only"]) == (None, 0, True)


def test_a_name_and_quantization_for_files_that_do_not_say():
    model = read(make.header([make.LLAMA], make.TENSORS))
    assert model["name"] == "memory"
    assert model["quantization"] == "F32"


@pytest.mark.parametrize("blocks, ranges", [([0], "0"), ([3, 1, 2, 0], "0-3"), ([0, 1, 2, 5, 7, 8, 9], "0-2,5,7-9"), ([12, 2], "2,12")])
def test_rows_name_their_blocks(blocks, ranges):
    tensors = [make.tensor(f"v.blk.{number}.x.weight", [8], offset=32 * index) for index, number in enumerate(blocks)]
    (row,) = read(make.header([make.LLAMA], tensors))["tensors"]
    assert (row["name"], row["blocks"]) == ("v.blk.*.x.weight", ranges)


def test_rows_differ_by_type_and_shape():
    tensors = [
        make.tensor("blk.0.w", [256], make.F32, 0),
        make.tensor("blk.1.w", [256], make.Q4_K, 1024),
        make.tensor("blk.2.w", [512], make.F32, 1024 + 160),
        make.tensor("blk.03.w", [256], make.F32, 1024 + 160 + 2048),
    ]
    rows = read(make.header([make.LLAMA], tensors))["tensors"]
    assert [(row["name"], row["blocks"], row["type"], row["shape"]) for row in rows] == [
        ("blk.*.w", "0", "F32", [256]),
        ("blk.*.w", "1", "Q4_K", [256]),
        ("blk.*.w", "2", "F32", [512]),
        ("blk.03.w", None, "F32", [256]),
    ]
