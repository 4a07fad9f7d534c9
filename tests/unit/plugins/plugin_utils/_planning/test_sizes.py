# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.sizes import sizes_of
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

DEVICES = (Device("CUDA0", 900 * 1024**3), Device("CUDA1", 1))


@pytest.mark.parametrize("name", ["Llama-3.1-8B-Q4_K_M.gguf", "Qwen3-30B-A3B-Q4_K_M.gguf", "gpt-oss-20b-MXFP4_MOE.gguf", "Phi-4-14B-Q4_K_M.gguf"])
def test_all_layers_weigh_what_llama_cpp_puts_on_a_gpu(name):
    model = truth.model(name)
    sizes = sizes_of(model, {}, DEVICES)
    settings = resolve({"ctx_size": 4096, "gpu_layers": "all", "tensor_split": [1.0]}, model)
    expected = allocate(model, settings, DEVICES).devices[0].weights_bytes
    assert sum(sizes.blocks) + sum(size for tensors in sizes.apart for size in tensors.values()) + sizes.output == expected


def test_experts_may_stay_in_ram_with_their_biases():
    sizes = sizes_of(truth.model("gpt-oss-20b-MXFP4_MOE.gguf"), {}, DEVICES)
    assert sizes.has_experts
    assert {name for tensors in sizes.apart for name in tensors} == {"ffn_up_exps", "ffn_gate_exps", "ffn_down_exps"}
    assert sizes.share == 4 / 32


def test_feed_forward_parts_of_a_model_without_experts_may():
    sizes = sizes_of(truth.model("Llama-3.1-8B-Q4_K_M.gguf"), {}, DEVICES)
    assert (sizes.has_experts, sizes.share) == (False, 1.0)
    assert all(set(tensors) == {"ffn_up", "ffn_gate", "ffn_down"} for tensors in sizes.apart)


def test_dense_blocks_of_a_model_with_experts_stay_whole():
    sizes = sizes_of(truth.model("GLM-4.5-Air-Q4_K_M.gguf"), {}, DEVICES)
    assert not sizes.apart[0] and sizes.apart[1]


@pytest.mark.parametrize("fixed", [{"n_cpu_moe": 4}, {"cpu_moe": True}, {"override_tensor": ["exps=CPU"]}])
def test_what_the_user_left_in_ram_is_not_chosen_again(fixed):
    model = truth.model("Qwen3-30B-A3B-Q4_K_M.gguf")
    sizes = sizes_of(model, fixed, DEVICES)
    assert not any(sizes.apart)
    assert sum(sizes.blocks) < sum(sizes_of(model, {"n_cpu_moe": 1}, DEVICES).blocks)
