# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.names import quantization_of, shard_names, shard_of, title_of


def test_all_shards_follow_from_any():
    names = ["/m/a-00001-of-00003.gguf", "/m/a-00002-of-00003.gguf", "/m/a-00003-of-00003.gguf"]
    for name in names:
        assert shard_names(name) == names


@pytest.mark.parametrize("name", ["a.gguf", "a-1-of-3.gguf", "a-00000-of-00003.gguf", "a-00004-of-00003.gguf", "-00001-of-00002.gguf", "a-00001-of-00002.bin"])
def test_other_names_are_no_shards(name):
    assert shard_of(name) is None
    assert shard_names(name) == [name]


@pytest.mark.parametrize(
    "name, quantization, title",
    [
        ("dir/Llama-3.1-8B-Instruct-Q4_K_M.gguf", "Q4_K_M", "Llama-3.1-8B-Instruct"),
        ("Llama-q4_k_m-00001-of-00002.gguf", "Q4_K_M", "Llama"),
        ("GLM-UD-Q4_K_XL.gguf", "UD-Q4_K_XL", "GLM"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS", "model"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE", "gpt-oss-20b"),
        ("x-bf16.gguf", "BF16", "x"),
        ("x-F32.GGUF", "F32", "x"),
        ("Q4_K_M/llama.gguf", None, "llama"),
        ("llama-instruct.gguf", None, "llama-instruct"),
        ("model", None, "model"),
    ],
)
def test_quantization_and_title(name, quantization, title):
    assert quantization_of(name) == quantization
    assert title_of(name) == title
