# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GPUS = (Device("CUDA0", 10**12), Device("CUDA1", 10**12))


@pytest.fixture
def moe():
    return truth.model("Qwen3-30B-A3B-Q4_K_M.gguf")


def weights(model, devices=GPUS[:1], **settings):
    allocation = allocate(model, resolve({"ctx_size": 4096, **settings}, model), devices)
    return [buffers.weights_bytes for buffers in (*allocation.devices, allocation.host)]


def test_override_tensor_with_the_pattern_of_cpu_moe_does_the_same(moe):
    assert weights(moe, override_tensor=[r"\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU"]) == weights(moe, cpu_moe=True)


def test_override_tensor_of_some_blocks_does_the_same_as_n_cpu_moe(moe):
    assert weights(moe, override_tensor=r"blk\.[0-2]\.ffn_.*_exps=CPU") == weights(moe, n_cpu_moe=3)


def test_the_first_override_that_matches_wins(moe):
    on_second = weights(moe, GPUS, tensor_split=[1, 0], override_tensor=["_exps=CUDA1", "_exps=CPU"])
    assert on_second[1] > 15 * 10**9
    assert on_second[2] < 10**9


@pytest.mark.parametrize(
    "override, message",
    [
        ("exps", "no buffer named"),
        ("exps=CUDA7", "no buffer 'CUDA7'"),
        ("(=CPU", "not a regular expression"),
    ],
)
def test_an_override_that_can_not_be_is_refused(moe, override, message):
    with pytest.raises(InfraError, match=message):
        weights(moe, override_tensor=[override])


def test_tied_embeddings_are_there_twice():
    model = truth.model("Llama-3.2-3B-Q4_K_M.gguf")
    embedding = next(group.size_bytes for group in model.tensors if group.name == "token_embd.weight")
    assert "output.weight" not in model.names
    on_gpu, on_host = weights(model)
    assert on_host == embedding
    assert on_gpu > sum(group.size_bytes * len(group.blocks or ()) for group in model.tensors)
    assert sum(weights(model, devices=())) == pytest.approx(sum(group.size_bytes * len(group.blocks or (0,)) for group in model.tensors), rel=1e-6)


def test_what_is_remembered_of_a_model_answers_no_other_question(moe):
    """Every answer of a model that was asked before is that of one that was not."""
    devices = (Device("A", 10**12), Device("B", 10**12)), (Device("B", 10**12), Device("A", 10**12))
    patterns = (["blk.3.ffn_down=A", "ffn=CPU"], ["ffn=CPU", "blk.3.ffn_down=A"])
    questions = [(given, devices[0]) for given in ({}, {"n_cpu_moe": 5}, {"cpu_moe": True}, {"gpu_layers": 20}, {"tensor_split": [1, 3]})]
    questions += [({"override_tensor": texts}, names) for texts in patterns for names in devices]
    questions += [({"override_tensor": ["output=CPU"], "n_cpu_moe": 5}, names) for names in devices]
    fresh = [weights(replace(moe), names, **given) for given, names in questions]
    assert [weights(moe, names, **given) for given, names in (*questions, *reversed(questions))] == [*fresh, *reversed(fresh)]
    # with all feed-forward parts or the output on the CPU the order of the devices' names makes no difference
    assert len(set(map(tuple, fresh))) == len(fresh) - 2
