# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole nodes: what the merge makes of all sources together."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gpu.conftest import Nothing

MIB, GIB = 1024**2, 1024**3
MEMINFO = {"/proc/meminfo": "MemTotal: 125829120 kB\nMemAvailable: 104857600 kB\n"}


def without_smi(root):
    return gather(Nothing(), root)


def with_smi(transcript, root):
    return gather(transcript, root)


def codes(facts):
    return [problem["code"] for problem in facts["problems"]]


def test_a_node_without_a_gpu_has_no_problem(node, card):
    files = card("0000:00:00.0", "8086:1237", kind="0x060000")
    files.update(card("0000:02:00.0", "1a03:2000", driver="ast"))
    facts = without_smi(node({**MEMINFO, **files}))
    assert (facts["schema"], facts["devices"], facts["driver"], facts["problems"]) == (1, [], None, [])
    assert list(facts) == ["schema", "devices", "driver", "platform", "host", "problems"]


def test_an_l4(node, card, smi):
    facts = with_smi(smi("l4"), node({**MEMINFO, **card("0000:01:00.0", "10de:27b8", driver="nvidia", kind="0x030200")}))
    assert facts["devices"] == [
        {
            "index": 0,
            "uuid": "GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34",
            "pci_bus_id": "0000:01:00.0",
            "vendor": "nvidia",
            "name": "NVIDIA L4",
            "architecture": "ada",
            "compute_capability": "8.9",
            "gfx_target": None,
            "memory_total_bytes": 23034 * MIB,
            "memory_free_bytes": 22569 * MIB,
            "unified_memory": False,
            "display_attached": False,
        }
    ]
    assert facts["driver"] == {"vendor": "nvidia", "version": "570.86.15", "cuda_max": "12.8"}
    assert facts["problems"] == []


def test_devices_are_in_bus_order_whatever_nvidia_smi_thinks(node, smi):
    facts = with_smi(smi("two_gpus"), node())
    assert [(device["index"], device["pci_bus_id"]) for device in facts["devices"]] == [(0, "0000:41:00.0"), (1, "0000:c1:00.0")]


def test_unified_memory_is_that_of_the_host_within_its_limit(node, smi):
    facts = with_smi(smi("gb10"), node(MEMINFO))
    (device,) = facts["devices"]
    assert (device["unified_memory"], device["memory_total_bytes"], device["memory_free_bytes"]) == (True, 120 * GIB, 100 * GIB)


def test_unified_memory_in_a_container_with_a_limit(node, smi):
    limit = {"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": str(64 * GIB), "/sys/fs/cgroup/memory.current": str(4 * GIB)}
    (device,) = with_smi(smi("orin"), node({**MEMINFO, **limit}))["devices"]
    assert (device["memory_total_bytes"], device["memory_free_bytes"]) == (64 * GIB, 60 * GIB)


def test_nouveau_holds_the_card(node, card, smi):
    files = card("0000:01:00.0", "10de:1b06", driver="nouveau")
    facts = without_smi(node(files))
    assert (facts["devices"], facts["driver"]) == ([], None)
    assert codes(facts) == ["nouveau"]
    assert "0000:01:00.0 (10de:1b06)" in facts["problems"][0]["message"]
    # nvidia-smi knows less about the same matter, so it isn't heard on it.
    assert with_smi(smi("driver_not_loaded"), node())["problems"] == facts["problems"]


def test_a_card_without_any_driver(node, card):
    facts = without_smi(node({**card("0000:01:00.0", "10de:27b8"), **card("0000:81:00.0", "10de:27b8")}))
    assert codes(facts) == ["no_driver"]
    assert "the NVIDIA GPUs at PCI 0000:01:00.0 (10de:27b8), 0000:81:00.0 (10de:27b8)" in facts["problems"][0]["message"]


def test_an_installed_driver_that_is_not_loaded(node, card, smi):
    facts = with_smi(smi("driver_not_loaded"), node(card("0000:01:00.0", "10de:27b8")))
    assert codes(facts) == ["driver_not_loaded"]
    assert "0000:01:00.0" in facts["problems"][0]["message"]


def test_a_driver_without_nvidia_smi(node, card):
    assert codes(without_smi(node(card("0000:01:00.0", "10de:27b8", driver="nvidia")))) == ["nvidia_smi_missing"]


def test_a_card_for_a_virtual_machine_beside_one_for_the_node(node, card, smi):
    files = {**card("0000:01:00.0", "10de:27b8", driver="nvidia"), **card("0000:02:00.0", "10de:2684", driver="vfio-pci")}
    facts = with_smi(smi("l4"), node(files))
    assert [device["pci_bus_id"] for device in facts["devices"]] == ["0000:01:00.0"]
    assert codes(facts) == ["other_driver"]
    assert "vfio-pci" in facts["problems"][0]["message"] and "0000:02:00.0" in facts["problems"][0]["message"]


def test_what_nvidia_smi_says_of_a_driven_card_is_kept_beside_an_undriven_one(node, card, smi):
    files = {**card("0000:01:00.0", "10de:27b8", driver="nvidia"), **card("0000:02:00.0", "10de:2684", driver="vfio-pci")}
    assert codes(with_smi(smi("no_devices"), node(files))) == ["no_devices", "other_driver"]


def test_cards_that_are_not_given_to_this_container_are_no_problem(node, card, smi):
    files = {**card("0000:01:00.0", "10de:27b8", driver="nvidia"), **card("0000:02:00.0", "10de:27b8", driver="nvidia"), "/.dockerenv": ""}
    facts = with_smi(smi("l4"), node(files))
    assert len(facts["devices"]) == 1 and facts["problems"] == [] and facts["platform"]["container"] is True


def test_wsl_has_a_gpu_without_a_card_on_the_bus(node, smi):
    facts = with_smi(smi("wsl"), node({"/proc/sys/kernel/osrelease": "5.15.167.4-microsoft-standard-WSL2\n"}))
    assert facts["platform"]["wsl"] is True
    assert [device["name"] for device in facts["devices"]] == ["NVIDIA GeForce RTX 4070"]
    assert facts["driver"] == {"vendor": "nvidia", "version": "576.80", "cuda_max": "12.9"}
    assert facts["problems"] == []


def amd_node(card, location=0x0300, version=110000, **more):
    files = card("0000:03:00.0", "1002:744c", driver="amdgpu", mem_info_vram_total="25753026560\n", mem_info_vram_used="1073741824\n", **more)
    files["/sys/class/kfd/kfd/topology/nodes/0/properties"] = "cpu_cores_count 16\nsimd_count 0\ngfx_target_version 0\nlocation_id 0\ndomain 0\n"
    files["/sys/class/kfd/kfd/topology/nodes/1/properties"] = f"simd_count 192\ngfx_target_version {version}\nlocation_id {location}\ndomain 0\n"
    return files


def test_an_amd_gpu(node, card):
    facts = without_smi(node(amd_node(card, unique_id="4a5b6c7d8e9f0011\n", product_name="\n")))
    assert facts["devices"] == [
        {
            "index": 0,
            "uuid": "GPU-4a5b6c7d8e9f0011",
            "pci_bus_id": "0000:03:00.0",
            "vendor": "amd",
            "name": "AMD GPU 1002:744c",
            "architecture": None,
            "compute_capability": None,
            "gfx_target": "gfx1100",
            "memory_total_bytes": 25753026560,
            "memory_free_bytes": 25753026560 - 1073741824,
            "unified_memory": False,
            "display_attached": None,
        }
    ]
    assert facts["driver"] == {"vendor": "amd", "version": None, "cuda_max": None}
    assert facts["problems"] == []


def test_an_amd_accelerator_with_a_name_and_a_driver_of_its_own(node, card):
    files = amd_node(card, version=90402, kind="0x120000", product_name="AMD Instinct MI300X\n")
    facts = without_smi(node({**files, "/sys/module/amdgpu/version": "6.12.12\n"}))
    assert [(device["name"], device["gfx_target"], device["uuid"]) for device in facts["devices"]] == [("AMD Instinct MI300X", "gfx942", None)]
    assert facts["driver"]["version"] == "6.12.12"


def test_gfx_targets_are_hexadecimal_and_belong_to_their_card(node, card):
    assert without_smi(node(amd_node(card, version=90010)))["devices"][0]["gfx_target"] == "gfx90a"


def test_an_amd_gpu_that_the_compute_driver_does_not_list(node, card):
    assert without_smi(node(amd_node(card, location=0x0400)))["devices"][0]["gfx_target"] is None


def test_the_graphics_of_an_amd_processor_are_no_device(node, card):
    facts = without_smi(node(amd_node(card, version=110501)))
    assert (facts["devices"], facts["driver"], codes(facts)) == ([], None, ["unsupported_gpu"])


def test_amd_cards_without_the_amdgpu_driver(node, card):
    facts = without_smi(node({**card("0000:03:00.0", "1002:744c"), **card("0000:04:00.0", "1002:6798", driver="radeon")}))
    assert (facts["devices"], codes(facts)) == ([], ["no_driver", "other_driver"])


def test_an_intel_gpu_is_seen_but_not_planned_with(node, card, smi):
    files = {**card("0000:00:02.0", "8086:4680", driver="i915"), **card("0000:01:00.0", "10de:27b8", driver="nvidia")}
    facts = with_smi(smi("l4"), node(files))
    assert [device["vendor"] for device in facts["devices"]] == ["nvidia"]
    assert codes(facts) == ["unsupported_gpu"]
    assert "the Intel GPU at PCI 0000:00:02.0 (8086:4680)" in facts["problems"][0]["message"]


def test_both_vendors_are_one_list_with_nvidias_driver(node, card, smi):
    facts = with_smi(smi("two_gpus"), node(amd_node(card)))
    assert [(device["index"], device["vendor"]) for device in facts["devices"]] == [(0, "amd"), (1, "nvidia"), (2, "nvidia")]
    assert facts["driver"]["vendor"] == "nvidia"


def test_gathering_twice_gives_the_same(node, card, smi):
    root = node({**MEMINFO, **amd_node(card), **card("0000:01:00.0", "10de:27b8", driver="nouveau")})
    assert with_smi(smi("two_gpus"), root) == with_smi(smi("two_gpus"), root)
