# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2


def test_a_row_of_truth_can_be_passed_as_it_is():
    row = truth.rows()["Llama-3.1-8B-Q4_K_M.gguf"][0]
    answer = memory_query(truth.plain(row["model"]), row["devices"], row["settings"])
    assert [device["name"] for device in answer["devices"]] == ["CUDA0"]
    for got, expected in ((answer["devices"][0], row["expected"]["devices"][0]), (answer["host"], row["expected"]["host"])):
        assert {part: got[f"{part}_bytes"] // MIB for part in ("weights", "kv", "compute")} == expected
        assert got["total_bytes"] == got["weights_bytes"] + got["kv_bytes"] + got["compute_bytes"]


def test_without_a_gpu_all_is_on_the_host():
    answer = memory_query(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), [], {"ctx_size": 4096})
    assert answer["devices"] == []
    assert answer["host"]["kv_bytes"] == 512 * MIB


@pytest.mark.parametrize(
    "model, message",
    [
        ("llama", "not a model"),
        ({"architecture": "llama"}, "the model has no 'hyperparameters'"),
        ({"architecture": "llama", "hyperparameters": {}, "tensors": []}, "no usable 'llama.block_count'"),
        ({"architecture": "llama", "hyperparameters": {"block_count": 10**9}, "tensors": []}, "'llama.block_count' can't be right"),
        ({"architecture": "llama", "hyperparameters": {"block_count": 1}, "tensors": [{}]}, "the tensor row has no 'type'"),
        ({"architecture": "llama", "hyperparameters": {"block_count": 1}, "tensors": [{"type": "Q99"}]}, "unknown tensor type"),
    ],
)
def test_what_is_no_model_is_refused(model, message):
    with pytest.raises(InfraError) as error:
        memory_query(model, [], {})
    assert message in str(error.value)
