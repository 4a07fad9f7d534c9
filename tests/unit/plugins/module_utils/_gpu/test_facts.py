# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the merge makes of all sources together, where a whole fixture would say no more."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import pci_memory, pci_names
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.pci import Card
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.gpu_models import model_by_driver


def codes(facts):
    return [problem["code"] for problem in facts["problems"]]


def amd_node(card, bus_id="0000:03:00.0", location=0x0300, version=110000):
    files = card(bus_id, "1002:744c", driver="amdgpu", mem_info_vram_total="25753026560\n", mem_info_vram_used="1073741824\n")
    files["/sys/class/kfd/kfd/topology/nodes/1/properties"] = f"simd_count 192\ngfx_target_version {version}\nlocation_id {location}\ndomain 0\n"
    return files


def test_a_target_belongs_to_its_card(node, card, nothing):
    assert gather(nothing, node(amd_node(card, location=0x0400)))["devices"][0]["gfx_target"] is None


def test_the_narrowest_link_on_the_way_counts(node, card, nothing):
    """A Radeon's own bridge always says 16 lanes of the fourth generation, whatever the slot is."""
    root = "/sys/devices/pci0000:00/"
    places = {"0000:00:01.1": ("8.0 GT/s PCIe", 4), "0000:00:01.1/0000:01:00.0": ("16.0 GT/s PCIe", 16)}
    files = {f"{root}{place}/{name}": f"{value}\n" for place, pair in places.items() for name, value in zip(("max_link_speed", "max_link_width"), pair)}
    leaf = root + "0000:00:01.1/0000:01:00.0/0000:03:00.0"
    for path, text in amd_node(card).items():
        files[path.replace("/sys/bus/pci/devices/0000:03:00.0", leaf)] = text
    files.update({leaf + "/max_link_speed": "16.0 GT/s PCIe\n", leaf + "/max_link_width": "16\n"})
    for bus_id, path in {"0000:03:00.0": leaf, "0000:01:00.0": leaf.rpartition("/")[0], "0000:00:01.1": root + "0000:00:01.1"}.items():
        files["/sys/bus/pci/devices/" + bus_id] = "-> ../../.." + path[4:]
    (device,) = gather(nothing, node(files))["devices"]
    assert (device["pcie_generation"], device["pcie_width"]) == (3, 4)


def test_a_link_without_an_end_is_none(node, card, nothing):
    files = {**amd_node(card), "/sys/bus/pci/devices/0000:03:00.0/max_link_speed": "Unknown\n", "/sys/bus/pci/devices/0000:03:00.0/max_link_width": "255\n"}
    (device,) = gather(nothing, node(files))["devices"]
    assert (device["pcie_generation"], device["pcie_width"]) == (None, None)


def test_what_only_root_may_read_is_told(node, nothing, monkeypatch):
    data = Tree.data

    def for_others(tree, path):
        if path in ("/etc/containerd/config.toml", "/proc/1/environ"):
            tree.denied.append(path)
            return None
        return data(tree, path)

    monkeypatch.setattr(Tree, "data", for_others)
    nothing.has = lambda name: name == "containerd"
    nothing.run = lambda *command: (0, "containerd containerd.io 2.1.3 1\n", "") if command[0] == "containerd" else (127, "", "")
    facts = gather(nothing, node())
    assert codes(facts) == ["needs_root"]
    assert facts["problems"][0]["message"] == "without root these can't be read: /etc/containerd/config.toml"
    assert facts["platform"]["engines"][0]["cdi"] is None


def test_the_names_of_cards_are_those_that_the_table_of_gpus_has():
    """What the planner knows of a GPU it finds by its name."""
    unknown = []
    for ids, name in pci_names._NAMES.items():
        vendor = {"10de": "nvidia", "8086": "intel"}[ids[:4]]
        unknown += [] if model_by_driver(vendor, name, 1) else [name]
    unknown += [name for name in pci_names._AMD_NAMES.values() if not model_by_driver("amd", name, 1)]
    assert unknown == []


def test_a_revision_tells_amds_cards_apart():
    names = [pci_names.name(Card("0000:03:00.0", "1002", "744c", "amdgpu", revision)) for revision in ("c8", "cc", "99", None)]
    assert names == ["AMD Radeon RX 7900 XTX", "AMD Radeon RX 7900 XT", None, None]


def test_the_memory_of_cards_is_that_of_the_table_of_gpus():
    """Under a name that stands for cards with unlike memory it is one of theirs."""
    wrong = []
    for ids, total in pci_memory._TOTALS.items():
        name = pci_names._NAMES[ids]
        model = model_by_driver({"10de": "nvidia", "8086": "intel"}[ids[:4]], name, total)
        wrong += [] if model.memory_total_bytes == total else [(ids, name, total, model.memory_total_bytes)]
    assert wrong == []
    assert len(pci_memory._TOTALS) > 100


def test_a_gpu_that_two_sources_tell_of_is_there_once(recorded, node, card):
    files = {**card("0000:01:00.0", "10de:27b8", driver="nvidia"), "/proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: NVIDIA L4\nDevice Minor: 0\n"}
    (device,) = gather(recorded("l4"), node(files))["devices"]
    assert (device["usable"], device["compute_capability"]) == (True, "8.9")


@pytest.mark.parametrize("text", ["", "\n\n", "Model", ":::", "Model: \nDevice Minor: x\nGPU UUID: \n", "\x00" * 100])
def test_what_the_module_shows_may_be_anything(node, card, nothing, text):
    files = {**card("0000:01:00.0", "10de:27b8", driver="nvidia"), "/proc/driver/nvidia/gpus/0000:01:00.0/information": text}
    facts = gather(nothing, node(files))
    assert codes(facts) == ["nvidia_smi_missing"]
    assert [device["name"] for device in facts["devices"]] in ([], ["NVIDIA L4"])


def arc(card, ids="8086:56a0", driver="xe", **files):
    place = "/sys/bus/pci/devices/0000:03:00.0/"
    return {**card("0000:03:00.0", ids, driver=driver), **{place + name.replace("__", "/"): text for name, text in files.items()}}


@pytest.mark.parametrize(
    "files, mib",
    [
        ({"tile0__physical_vram_size_bytes": "17179869184\n"}, 15473),
        ({"tile0__physical_vram_size_bytes": "400000000\n"}, 15473),
        ({"tile0__physical_vram_size_bytes": "0x200000000\n"}, 7782),
        ({"resource": "0x0000006000000000 0x00000061ffffffff 0x000000000014220c\n"}, 7782),
        ({"resource": "0x0000006000000000 0x00000063ffffffff 0x0000000000140204\n"}, None),
        ({"resource": "nonsense\n0x1 0x2\n"}, None),
        ({"tile0__physical_vram_size_bytes": "much\n"}, None),
        ({}, None),
    ],
)
def test_the_memory_of_an_arc_of_two_sizes(node, card, nothing, files, mib):
    facts = gather(nothing, node(arc(card, **files)))
    assert facts["devices"][0]["memory_total_bytes"] == (mib and mib * 2**20)
    assert codes(facts) == ([] if mib else ["intel_memory_unknown"])


def test_tiles_count_together(node, card, nothing):
    files = {f"tile{number}__physical_vram_size_bytes": "68719476736\n" for number in (0, 1)}
    assert gather(nothing, node(arc(card, "8086:0bd5", **files)))["devices"][0]["memory_total_bytes"] == 128 * 2**30


def test_a_gpu_that_the_driver_leaves_alone_is_that_and_not_lost(recorded, node, card):
    files = {**card("0000:01:00.0", "10de:27b8", driver="nvidia"), **card("0000:02:00.0", "10de:27b8", driver="nvidia")}
    files["/proc/driver/nvidia/gpus/0000:02:00.0/information"] = "Model: NVIDIA L4\nDevice Minor: 1\nGPU Excluded:\t Yes\n"
    facts = gather(recorded("l4"), node(files))
    assert codes(facts) == ["uvm_missing", "gpu_excluded"]
    assert [device["usable"] for device in facts["devices"]] == [True, False]
