# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
MIB = 1024**2
TWO_L4 = {"gpus": [{"model": "nvidia-l4", "count": 2}], "ram_bytes": 512 * GIB}


def test_gpus_and_ram():
    node = node_from_plain(TWO_L4)
    assert [gpu.device for gpu in node.gpus] == ["CUDA0", "CUDA1"]
    gpu = node.gpus[1]
    assert (gpu.name, gpu.vendor, gpu.model, gpu.compute_capability) == ("NVIDIA L4", "nvidia", "nvidia-l4", "8.9")
    assert (gpu.memory_total_bytes, gpu.memory_free_bytes) == (23034 * MIB, 22569 * MIB)
    assert gpu.memory_bandwidth_bytes_per_second == 300 * 10**9
    assert gpu.matrix_flops == 121 * 10**12
    assert gpu.pcie_bytes_per_second == pytest.approx(31.5 * 10**9, rel=0.001)
    assert not gpu.unified_memory
    assert (node.name, node.memory_total_bytes, node.memory_available_bytes) == ("node", 512 * GIB, 512 * GIB)
    assert (node.memory_bandwidth_bytes_per_second, node.cuda_max, node.cpu_flops) == (None, None, None)


@pytest.mark.parametrize("model, devices", [("nvidia-l4", ["CUDA0", "CUDA1"]), ("amd-rx-7900-xtx", ["ROCm0", "ROCm1"]), ("intel-arc-b580", ["SYCL0", "SYCL1"])])
def test_a_plan_for_it_needs_no_more(model, devices):
    made = plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {"gpus": [{"model": model, "count": 2}], "ram_bytes": 64 * GIB}, {"ctx_size": 8192})
    assert made["fits"]
    assert [row["name"] for row in made["memory"]["devices"]] == devices


def test_a_plan_for_a_mac_keeps_both_within_its_one_memory():
    made = plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {"gpus": [{"model": "apple-m4"}], "ram_bytes": 16 * GIB}, {})
    (gpu,), host = made["memory"]["devices"], made["memory"]["host"]
    assert made["fits"]
    assert (gpu["name"], gpu["free_bytes"]) == ("MTL0", 16 * GIB * 2 // 3)
    assert gpu["total_bytes"] + host["total_bytes"] + host["cache_ram_bytes"] <= 14 * GIB
    assert (made["backend"], made["image"]) == ("metal", None)


def test_all_that_may_be_said():
    node = node_from_plain(
        {
            "name": "rack 7",
            "gpus": [
                {"model": "nvidia-rtx-3090", "memory_free_bytes": 20 * GIB, "matrix_flops": 60 * 10**12},
                {"model": "nvidia-rtx-4060-ti-16gb", "pcie_bytes_per_second": 4 * 10**9, "memory_bandwidth_bytes_per_second": 250 * 10**9},
            ],
            "ram": {"bytes": 64 * GIB, "available_bytes": 60 * GIB, "type": "ddr4-3200", "channels": 2},
            "cuda_max": "13.0",
            "cpu_flops": 10**12,
        }
    )
    first, second = node.gpus
    assert (first.device, first.memory_free_bytes, first.matrix_flops) == ("CUDA0", 20 * GIB, 60 * 10**12)
    assert (second.device, second.memory_total_bytes) == ("CUDA1", 16380 * MIB)
    assert (second.pcie_bytes_per_second, second.memory_bandwidth_bytes_per_second) == (4 * 10**9, 250 * 10**9)
    assert (node.name, node.memory_total_bytes, node.memory_available_bytes) == ("rack 7", 64 * GIB, 60 * GIB)
    assert (node.memory_bandwidth_bytes_per_second, node.cuda_max, node.cpu_flops) == (51_200_000_000, "13.0", 10**12)
    assert node_from_plain(TWO_L4, "another").name == "another"


def test_a_larger_memory_keeps_the_driver_s_share():
    gpu = node_from_plain({"gpus": [{"model": "nvidia-rtx-2080-ti", "memory_total_bytes": 22 * GIB}], "ram_bytes": GIB}).gpus[0]
    assert gpu.memory_total_bytes == 22 * GIB
    assert 300 * MIB < gpu.memory_total_bytes - gpu.memory_free_bytes < 500 * MIB


def test_ram_alone_is_a_node_without_gpus():
    node = node_from_plain({"ram_bytes": 64 * GIB, "ram_bandwidth_bytes_per_second": 80 * 10**9})
    assert node.gpus == ()
    assert node.memory_bandwidth_bytes_per_second == 80 * 10**9


def test_numbers_may_be_text_as_templates_write_them():
    node = node_from_plain({"gpus": [{"model": "nvidia-l4", "count": "2"}], "ram_bytes": str(64 * GIB)})
    assert (len(node.gpus), node.memory_total_bytes) == (2, 64 * GIB)


@pytest.mark.parametrize(
    "description, device, total_gib, gpu_gib",
    [
        ({"gpus": [{"model": "apple-m3-ultra"}], "ram_bytes": 256 * GIB}, "MTL0", 256, 192),
        ({"gpus": [{"model": "apple-m3-ultra", "memory_total_bytes": 96 * GIB}]}, "MTL0", 96, 72),
        ({"gpus": [{"model": "apple-m4", "memory_free_bytes": 20 * GIB}], "ram_bytes": 24 * GIB}, "MTL0", 24, 20),
        ({"gpus": [{"model": "amd-radeon-8060s"}], "ram": {"bytes": 128 * GIB}}, "ROCm0", 128, 64),
        ({"gpus": [{"model": "nvidia-jetson-orin-nx-16gb"}]}, "CUDA0", 16, 16),
        ({"gpus": [{"model": "nvidia-jetson-orin-nx-16gb"}], "ram": {"bytes": 15 * GIB, "available_bytes": 13 * GIB}}, "CUDA0", 15, 13),
    ],
)
def test_a_gpu_that_shares_the_ram_makes_one_pool(description, device, total_gib, gpu_gib):
    node = node_from_plain(description)
    (gpu,) = node.gpus
    assert (gpu.device, gpu.unified_memory) == (device, True)
    assert gpu.memory_total_bytes == node.memory_total_bytes == total_gib * GIB
    assert gpu.memory_free_bytes == gpu_gib * GIB
    assert node.memory_bandwidth_bytes_per_second == gpu.memory_bandwidth_bytes_per_second


def test_a_machine_sold_with_one_memory_needs_none_given():
    assert node_from_plain({"gpus": [{"model": "nvidia-gb10"}]}).memory_total_bytes == 124546 * MIB


@pytest.mark.parametrize("model, device", [("intel-arc-b580", "SYCL0"), ("amd-mi300x", "ROCm0")])
def test_other_vendors(model, device):
    assert node_from_plain({"gpus": [{"model": model}], "ram_bytes": GIB}).gpus[0].device == device


@pytest.mark.parametrize(
    "change, message",
    [
        ({"gpus": [{"model": "nvidia-l44"}]}, "node.gpus[0].model: no such GPU in the table (got 'nvidia-l44'). Did you mean 'nvidia-l4'"),
        ({"gpus": [{"model": "nvidia-l4", "cuont": 2}]}, "node.gpus[0]: unknown key 'cuont'. Did you mean 'count'?"),
        ({"gpus": [{"count": 2}]}, "node.gpus[0]: the GPU's model is missing"),
        ({"gpus": ["nvidia-l4"]}, "node.gpus[0]: not a GPU"),
        ({"gpus": {"model": "nvidia-l4"}}, "node.gpus: not a list"),
        ({"gpus": [{"model": "nvidia-l4", "count": 0}]}, "node.gpus[0].count: too small"),
        ({"gpus": [{"model": "nvidia-l4", "count": 65}]}, "node.gpus[0].count: too many GPUs"),
        ({"gpus": [{"model": "nvidia-l4", "count": True}]}, "node.gpus[0].count: not an integer"),
        ({"gpus": [{"model": "nvidia-l4", "count": "two"}]}, "node.gpus[0].count: not an integer"),
        ({"gpus": [{"model": "nvidia-l4", "count": 40}] * 2}, "node.gpus: too many GPUs (got 80"),
        ({"gpus": [{"model": "nvidia-l4", "memory_free_bytes": "20 GiB"}]}, "node.gpus[0].memory_free_bytes: not an integer"),
        ({"gpus": [{"model": "nvidia-l4", "memory_free_bytes": 25 * GIB}]}, "node.gpus[0].memory_free_bytes: more free memory than there is"),
        ({"gpus": [{"model": "nvidia-l4", "memory_total_bytes": 0}]}, "node.gpus[0].memory_total_bytes: too small"),
        ({"gpus": [{"model": "nvidia-l4", "matrix_flops": -1}]}, "node.gpus[0].matrix_flops: too small"),
        ({"gpus": [{"model": "apple-m4", "count": 2}]}, "node.gpus: a GPU that shares the RAM is described alone"),
        ({"gpus": [{"model": "apple-m4"}, {"model": "nvidia-l4"}]}, "node.gpus: a GPU that shares the RAM is described alone"),
        ({"gpus": [{"model": "apple-m4"}], "ram_bytes": None}, "the RAM is the memory of apple-m4, and its size is missing (expected ram_bytes: 16 GiB"),
        ({"gpus": [{"model": "apple-m4", "memory_total_bytes": GIB}]}, "is given with two sizes"),
        ({"ram_bytes": None}, "node: the size of the RAM is missing"),
        ({"ram_bytes": 0}, "node.ram_bytes: too small"),
        ({"ram_bytes": "512 GiB"}, "node.ram_bytes: not an integer (got '512 GiB', expected a whole number)"),
        ({"ram_bytes": 5.5e11}, "node.ram_bytes: not an integer"),
        ({"ram": {"bytes": GIB}}, "'ram_bytes' and 'ram.bytes' say the same"),
        ({"ram": 512}, "node.ram: not a description of RAM"),
        ({"ram": {"byte": 1}}, "node.ram: unknown key 'byte'. Did you mean 'bytes'?"),
        ({"ram": {"available_bytes": 513 * GIB}}, "node.ram.available_bytes: more available memory than there is"),
        ({"ram": {"type": "ddr5-4800"}}, "node.ram: 'channels' is missing"),
        ({"ram": {"channels": 8}}, "node.ram: 'type' is missing"),
        ({"ram": {"type": "fast", "channels": 8}}, "node.ram.type: not a type of RAM"),
        ({"ram": {"type": "ddr5-4800", "channels": 65}}, "node.ram.channels: too many channels"),
        ({"ram": {"type": "ddr5-4800", "channels": 8, "bandwidth_bytes_per_second": 1}}, "the bandwidth is given twice"),
        ({"ram": {"bandwidth_bytes_per_second": 1}, "ram_bandwidth_bytes_per_second": 1}, "say the same"),
        ({"cuda_max": 13}, "node.driver.cuda_max: not a version"),
        ({"cuda_max": "13.0", "driver": {"cuda_max": "13.0"}}, "'driver' and 'cuda_max' say the same"),
        ({"cpu_flops": 0}, "node.cpu_flops: too small"),
        ({"name": 7}, "node.name: not a string"),
        ({"devices": []}, "a description of a node has no 'devices'"),
        ({"hostname": "x"}, "node: unknown key 'hostname'"),
    ],
)
def test_a_malformed_description_is_refused(change, message):
    with pytest.raises(InfraError) as error:
        node_from_plain({**TWO_L4, **change})
    assert message in str(error.value)


def test_a_misspelt_description_is_not_taken_for_facts():
    with pytest.raises(InfraError, match="unknown key 'gpu'.*Did you mean 'gpus'"):
        node_from_plain({"gpu": [{"model": "nvidia-l4"}]})
