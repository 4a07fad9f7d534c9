# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import copy
import pathlib

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.facts import facts_by_node

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
NODES = {node["metadata"]["name"]: node for node in yaml.safe_load((FIXTURES / "nodes.yml").read_text())}
SLICES = yaml.safe_load((FIXTURES / "resource_slices.yml").read_text())
MIB = 1024**2
KEYS = {
    "index", "uuid", "pci_bus_id", "vendor", "name", "usable", "architecture", "compute_capability", "gfx_target", "gpu_cores", "metal_family",
    "memory_total_bytes", "memory_free_bytes", "memory_reserved_bytes", "unified_memory", "display_attached", "mig", "virtual", "persistence_mode", "ecc",
    "pcie_generation", "pcie_width", "numa_node", "render_node", "device_group_ids",
}  # fmt: skip


def facts(name, slices=None, labels=None, allocatable=None, drop=(), **options):
    """Of a node of the fixtures, with some labels and amounts changed."""
    node = copy.deepcopy(NODES[name])
    node["metadata"]["labels"] = {key: value for key, value in {**node["metadata"]["labels"], **(labels or {})}.items() if key not in drop}
    node["status"]["allocatable"] = {**node["status"]["allocatable"], **(allocatable or {})}
    return facts_by_node([node], slices, options)[name]


def codes(got):
    return [problem["code"] for problem in got["problems"]]


def devices(got):
    return [(row["name"], row["memory_total_bytes"] // MIB, row["memory_free_bytes"] // MIB) for row in got["devices"]]


H100 = "NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize(
    "name, expected",
    [
        ("gke-t4", [("Tesla T4", 15360, 14912)]),
        ("h100-x8", [(H100, 81559, 81081)] * 8),
        ("mig-single", [(f"{H100} MIG 1g.10gb", 9984, 9920)] * 7),
        ("mig-mixed", [(f"{H100} MIG 1g.10gb", 9984, 9920)] * 2 + [(f"{H100} MIG 2g.20gb", 20096, 20032), (f"{H100} MIG 3g.40gb", 40320, 40256)]),
        ("gb200", [("NVIDIA GB200", 189471, 188683)] * 4),
        ("mi300x", [("AMD Instinct MI300X", 196592, 196292)] * 8),
        ("mi300x-vf", [("AMD Instinct MI300X", 196592, 196292)] * 8),
        ("b60", [("Intel(R) Arc(TM) Pro B60 Graphics", 24480, 24416)] * 2),
        ("no-gpu", []),
    ],
)
def test_devices(name, expected):
    got = facts(name)
    assert (devices(got), codes(got)) == (expected, [])
    assert [row["index"] for row in got["devices"]] == list(range(len(expected)))
    assert all(set(row) == KEYS for row in got["devices"])


def test_the_whole_of_it():
    got = facts("h100-x8")
    assert got["schema"] == 2
    assert got["devices"][0] == {
        **dict.fromkeys(KEYS), "index": 0, "vendor": "nvidia", "name": H100, "architecture": "Hopper", "compute_capability": "9.0",
        "memory_total_bytes": 81559 * MIB, "memory_free_bytes": 81081 * MIB, "unified_memory": False, "virtual": False, "usable": True,
    }  # fmt: skip
    assert got["driver"] == {
        "vendor": "nvidia", "version": "580.95.05", "library_version": None, "mismatch": None, "cuda_max": "13.0", "uvm": None, "secure_boot": None,
        "other_cards": [],
    }  # fmt: skip
    assert got["platform"] == {
        "system": "Linux", "machine": "x86_64", "kernel": "6.8.0-79-generic", "wsl": False, "container": False, "jetson": None, "kubernetes_node": True,
        "gpu_operator": True, "selinux": None, "cgroup_version": None,
        "engines": [{"name": "crio", "version": "1.34.1", "cdi": None, "rootless": False}], "toolkit": None,
        "cdi": {"specs": [], "duplicates": []},
    }  # fmt: skip
    assert got["host"] == {
        "memory_total_bytes": 2113465792 * 1024, "memory_available_bytes": 2113363392 * 1024, "memory_limit_bytes": None, "cpu": None, "cores_physical": None,
        "cores_logical": 224, "cores_performance": None, "numa_nodes": None, "hugepages_total_bytes": 8 * 2**30, "hugepages_free_bytes": None,
        "simd": ["avx", "avx2", "avx512f", "amx_tile"], "memory_bandwidth_bytes_per_second": None,
        "memory_bandwidth_theoretical_bytes_per_second": None, "memory_type": None, "memory_channels": None, "disks": [],
    }  # fmt: skip


def test_a_mig_instance_says_what_it_is():
    first = facts("mig-mixed")["devices"][0]
    assert first["mig"] == {"profile": "1g.10gb", "gpu_instance_id": None, "compute_instance_id": None, "parent_uuid": None}
    with_media = {
        "nvidia.com/mig-1g.20gb.me.count": "1",
        "nvidia.com/mig-1g.20gb.me.memory": "20096",
        "nvidia.com/mig-1g.20gb.me.product": f"{H100.replace(' ', '-')}-MIG-1g.20gb.me",
    }
    assert facts("mig-mixed", labels=with_media, allocatable={"nvidia.com/mig-1g.20gb.me": "1"})["devices"][2]["mig"]["profile"] == "1g.20gb+me"


def test_whole_gpus_beside_mig_instances():
    got = facts("mig-mixed", labels={"nvidia.com/gpu.replicas": "1"}, allocatable={"nvidia.com/gpu": "1"})
    assert [row["mig"] is None for row in got["devices"]] == [True, False, False, False, False]
    assert devices(got)[0] == (H100, 81559, 81081)


def test_an_older_driver_says_it_in_parts():
    assert facts("l4-shared")["driver"]["version"] == "570.124.06"
    assert facts("l4-shared")["driver"]["cuda_max"] == "12.8"


def test_a_shared_gpu_is_refused_unless_its_share_is_asked_for():
    got = facts("l4-shared")
    assert (got["devices"], codes(got)) == ([], ["gpu_shared"])
    assert "4 pods" in got["problems"][0]["message"]
    assert devices(facts("l4-shared", sharing="divide")) == [("NVIDIA L4", 23034 // 4, 22569 // 4)]
    renamed = {"nvidia.com/gpu": "0", "nvidia.com/gpu.shared": "4"}
    assert len(facts("l4-shared", allocatable=renamed, labels={"nvidia.com/gpu.product": "NVIDIA-L4"}, sharing="divide")["devices"]) == 1
    on_gke = facts("gke-t4", labels={"cloud.google.com/gke-max-shared-clients-per-gpu": "2"}, allocatable={"nvidia.com/gpu": "2"}, sharing="divide")
    assert devices(on_gke) == [("Tesla T4", 7680, 7456)]
    intel = facts("b60", allocatable={"gpu.intel.com/xe": "4"})
    assert (intel["devices"], codes(intel)) == ([], ["gpu_shared"])


@pytest.mark.parametrize(
    "name, change, code, left",
    [
        ("driver-broken", {}, "gpu_not_allocatable", 0),
        ("h100-x8", {"allocatable": {"nvidia.com/gpu": "7"}}, "gpu_unhealthy", 7),
        ("two-kinds", {}, "gpu_mixed", 1),
        ("unknown-product", {}, "gpu_unknown", 0),
        ("h100-x8", {"drop": ("nvidia.com/gpu.product", "nvidia.com/gpu.count")}, "gpu_unlabelled", 0),
        (
            "h100-x8",
            {"labels": {"nvidia.com/gpu.count": "0", "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-MIG-INVALID"}, "allocatable": {"nvidia.com/gpu": "0"}},
            "gpu_not_allocatable",
            0,
        ),
        ("no-gpu", {"labels": {"feature.node.kubernetes.io/pci-0302_10de.present": "true"}}, "gpu_not_allocatable", 0),
        ("gke-t4", {"labels": {"cloud.google.com/gke-accelerator": "nvidia-rtx-pro-9000"}}, "gpu_unknown", 0),
        ("gke-t4", {"labels": {"cloud.google.com/gke-gpu-partition-size": "1g.5gb"}}, "gpu_unknown", 0),
        ("h100-x8", {"memory_used_bytes": 2**40}, "gpu_full", 0),
        ("mi300x", {"labels": {"amd.com/gpu.vram": "48G"}}, "gpu_memory_unclear", 0),
        ("mi300x", {"labels": {"amd.com/gpu.compute-memory-partition": "CPX_NPS4"}, "allocatable": {"amd.com/gpu": "64"}}, "gpu_partitioned", 0),
        ("mi300x", {"allocatable": {"amd.com/gpu": "0"}}, "gpu_not_allocatable", 0),
        ("mi300x", {"drop": ("amd.com/gpu.product-name", "amd.com/gpu.device-id")}, "gpu_unlabelled", 0),
        ("mi300x", {"labels": {"amd.com/gpu.product-name": "AMD_Instinct_MI999X"}}, "gpu_unknown", 0),
        ("mi300x-vf", {"labels": {"beta.amd.com/gpu.device-id.740f": "1"}}, "gpu_unhealthy", 0),
        ("a770", {}, "gpu_unknown", 0),
        ("b60", {"allocatable": {"gpu.intel.com/xe": "0"}}, "gpu_not_allocatable", 0),
        ("b60", {"allocatable": {"gpu.intel.com/xe": "1"}}, "gpu_unhealthy", 1),
        ("b60", {"labels": {"gpu.intel.com/device-id.0300-56a5.count": "1"}, "allocatable": {"gpu.intel.com/xe": "3"}}, "gpu_mixed", 0),
        ("a770", {"drop": ("gpu.intel.com/device-id.0300-56a0.count",)}, "gpu_unlabelled", 0),
    ],
)
def test_problems(name, change, code, left):
    got = facts(name, **change)
    assert (codes(got), len(got["devices"])) == ([code], left)
    assert got["problems"][0]["message"] and got["problems"][0]["fix"].endswith(".")


def test_an_unknown_product_counts_when_what_is_used_is_told():
    got = facts("unknown-product", memory_used_bytes=1024 * MIB)
    assert (devices(got), codes(got), got["devices"][0]["virtual"]) == ([("NVIDIA-A40-48Q", 49140, 48116)], [], True)


def test_an_a770_by_its_memory():
    assert devices(facts("a770", labels={"gpu.intel.com/memory.max": str(15473 * MIB)})) == [("Intel(R) Arc(TM) A770 Graphics", 15473, 15409)]


def test_several_amd_products_by_device_id():
    got = facts("mi300x-vf", labels={"beta.amd.com/gpu.device-id.740f": "1"}, allocatable={"amd.com/gpu": "9"})
    assert [row["gfx_target"] for row in got["devices"]] == ["gfx90a"] + ["gfx942"] * 8


def test_two_vendors_on_one_node():
    both = facts("b60", labels=NODES["gke-t4"]["metadata"]["labels"], allocatable={"nvidia.com/gpu": "1"})
    assert [row["vendor"] for row in both["devices"]] == ["nvidia", "intel", "intel"]


def test_one_memory():
    labels = {"nvidia.com/gpu.product": "NVIDIA-GB10", "nvidia.com/gpu.count": "1", "nvidia.com/gpu.compute.minor": "1", "nvidia.com/gpu.compute.major": "12"}
    (gpu,) = facts("gb200", labels=labels, drop=("nvidia.com/gpu.memory",), allocatable={"nvidia.com/gpu": "1"})["devices"]
    assert gpu["unified_memory"] and gpu["memory_total_bytes"] == 1002283712 * 1024 and gpu["compute_capability"] == "12.1"


def test_the_state_of_the_node():
    node = copy.deepcopy(NODES["h100-x8"])
    node["spec"] = {"unschedulable": True}
    assert codes(facts_by_node([node])["h100-x8"]) == ["node_cordoned"]
    node["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    assert codes(facts_by_node([node])["h100-x8"]) == ["node_not_ready"]


def dra(*slices, **more):
    node = {"metadata": {"name": "dra-a100", **more}, "status": {"capacity": {"memory": "1Ti"}, "allocatable": {"memory": "900Gi"}}}
    return facts_by_node([node], list(slices or SLICES))["dra-a100"]


def test_resource_slices():
    got = dra()
    assert devices(got) == [("NVIDIA A100 80GB PCIe MIG 1g.10gb", 9728, 9664), ("NVIDIA A100 80GB PCIe", 81920, 81151)]
    instance, whole = got["devices"]
    assert instance["uuid"].startswith("MIG-5c1ef1b3") and instance["mig"]["parent_uuid"].startswith("GPU-ddf64803")
    assert (whole["uuid"], whole["pci_bus_id"], whole["numa_node"]) == ("GPU-13719f71-412c-d11e-b236-a262f530a4fc", "0002:00:00.0", 1)
    assert (whole["compute_capability"], whole["architecture"]) == ("8.0", "Ampere")
    assert (got["driver"]["version"], got["driver"]["cuda_max"]) == ("580.95.5", "13.0")
    assert codes(got) == ["gpu_unhealthy"]


def test_resource_slices_take_the_place_of_nvidias_labels():
    got = dra(labels={"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.count": "1"})
    assert [row["name"] for row in got["devices"]] == ["NVIDIA A100 80GB PCIe MIG 1g.10gb", "NVIDIA A100 80GB PCIe"]


def test_the_older_api_of_resource_slices():
    older = copy.deepcopy(SLICES[0])
    older["spec"]["devices"] = [
        {
            "name": row["name"],
            "basic": {
                **{key: value for key, value in row.items() if key != "name"},
                "capacity": {key: amount["value"] for key, amount in row["capacity"].items()},
            },
        }
        for row in older["spec"]["devices"]
    ]
    assert devices(dra(older)) == devices(dra())


def test_slices_of_others():
    got = dra({"spec": {"driver": "dra.net", "nodeName": "dra-a100", "devices": 1}}, {"spec": {"allNodes": True}}, {"spec": {"driver": ["x"], "nodeName": "n"}})
    assert (codes(got), got["devices"]) == ([], [])


def of_slices(name, slices=SLICES, **options):
    node = {"metadata": {"name": name}, "status": {"capacity": {"memory": "1Ti"}, "allocatable": {"memory": "900Gi"}}}
    return facts_by_node([node], slices, options)[name]


def test_slices_of_amd():
    got = of_slices("dra-mi300x")
    assert devices(got) == [("AMD Instinct MI300X", 196592, 196292)] * 3
    assert [row["pci_bus_id"] for row in got["devices"]] == ["0003:00:04.0", "0004:00:04.0", "0005:00:04.0"]
    first, second, _third = got["devices"]
    assert (first["vendor"], first["gfx_target"], first["numa_node"], second["numa_node"]) == ("amd", "gfx942", None, 1)
    assert (got["driver"]["vendor"], got["driver"]["version"], codes(got)) == ("amd", "6.12.12", [])


def amd_device(memory="24574Mi", **attributes):
    told = {"type": "amdgpu-partition", "productName": "AMD_Instinct_MI300X_OAM", "partitionProfile": "cpx_nps4", "pciBusID": "0003:00:04.0", **attributes}
    device = {"name": "gpu-4-132", "attributes": {key: {"string": value} for key, value in told.items()}, "capacity": {"memory": {"value": memory}}}
    return [{"spec": {"driver": "gpu.amd.com", "nodeName": "n", "devices": [device]}}]


def test_a_partition_is_a_device_with_its_own_memory():
    got = of_slices("n", amd_device(), memory_used_bytes=100 * MIB)
    assert devices(got) == [("AMD Instinct MI300X partition cpx_nps4", 24574, 24474)]
    # The table has the whole GPU alone.
    assert codes(of_slices("n", amd_device())) == ["gpu_unknown"]


def test_a_gpu_whose_memory_is_not_that_of_its_name():
    assert codes(of_slices("n", amd_device(type="amdgpu"))) == ["gpu_memory_unclear"]


def test_a_tainted_amd_gpu():
    slices = amd_device(type="amdgpu", memory="196592Mi")
    slices[0]["spec"]["devices"][0]["taints"] = [{"key": "gpu.amd.com/unhealthy", "effect": "NoExecute"}]
    assert (codes(of_slices("n", slices)), of_slices("n", slices)["devices"]) == (["gpu_unhealthy"], [])


def test_slices_of_intel():
    got = of_slices("dra-arc")
    assert devices(got) == [("Intel(R) Arc(TM) Pro B60 Graphics", 24480, 24416)]
    assert (got["devices"][0]["pci_bus_id"], got["driver"]["vendor"]) == ("0000:04:00.0", "intel")
    assert codes(got) == ["gpu_unknown"] and "Arrow Lake-S" in got["problems"][0]["message"]


def test_slices_of_an_older_driver_of_intel():
    got = of_slices("dra-old-arc")
    assert devices(got) == [("Intel(R) Arc(TM) A770 Graphics", 16288, 16224)]
    assert got["devices"][0]["pci_bus_id"] == "0000:03:00.0"


def test_slices_take_the_place_of_the_vendors_own_labels_alone():
    node = copy.deepcopy(NODES["mi300x"])
    slices = [{"spec": {"driver": "gpu.intel.com", "nodeName": "mi300x", "devices": []}}]
    assert len(facts_by_node([node], slices)["mi300x"]["devices"]) == 8
    slices[0]["spec"]["driver"] = "gpu.amd.com"
    assert facts_by_node([node], slices)["mi300x"]["devices"] == []


@pytest.mark.parametrize("driver", ["gpu.nvidia.com", "gpu.amd.com", "gpu.intel.com"])
def test_any_attribute_may_be_of_any_kind(driver):
    """No error but InfraError."""
    values = [{"string": ""}, {"string": "x"}, {"int": -1}, {"int": 10**30}, {"bool": True}, {"version": "1.2.3"}]
    source = next(each for each in SLICES if each["spec"]["driver"] == driver)["spec"]
    for row in source["devices"]:
        for key in row.get("attributes", {}):
            for value in values:
                changed = {**copy.deepcopy(row), "attributes": {**row["attributes"], key: value}}
                try:
                    got = of_slices("n", [{"spec": {"driver": driver, "nodeName": "n", "devices": [changed]}}])
                except InfraError:
                    continue
                assert all(device["memory_free_bytes"] <= device["memory_total_bytes"] for device in got["devices"])


STATUS = {"capacity": {"memory": "1Gi"}, "allocatable": {"memory": "1Gi"}}


@pytest.mark.parametrize(
    "nodes, slices, options, message",
    [
        ({}, None, {}, "nodes: not a list of nodes"),
        (None, None, {}, "nodes: not a list of nodes"),
        (["x"], None, {}, r"nodes\[0\]: not a node"),
        ([{"kind": "Pod"}], None, {}, r"nodes\[0\].kind: not a node"),
        ([{"metadata": {"labels": {}}}], None, {}, "the node's name is missing"),
        ([{"metadata": []}], None, {}, "not a dictionary"),
        ([{"metadata": {"name": "n", "labels": {"a": 1}}}], None, {}, "a label is not a string"),
        ([{"metadata": {"name": "n"}}], None, {}, "the node's RAM is missing"),
        ([{"metadata": {"name": "n"}, "status": STATUS}] * 2, None, {}, "two nodes have the same name"),
        ([{"metadata": {"name": "n"}, "status": {**STATUS, "conditions": 1}}], None, {}, "not a list"),
        ([{"metadata": {"name": "n"}, "status": {"capacity": {"memory": "1Gi"}, "allocatable": {"memory": "2Gi"}}}], None, {}, "more allocatable memory"),
        ([{"metadata": {"name": "n"}, "status": {"capacity": {"memory": "lots"}, "allocatable": {"memory": "2Gi"}}}], None, {}, "not a quantity"),
        (
            [{"metadata": {"name": "n", "labels": {"nvidia.com/gpu.product": "x", "nvidia.com/gpu.count": "-1"}}, "status": STATUS}],
            None,
            {},
            "not a whole number",
        ),
        (
            [{"metadata": {"name": "n", "labels": {"nvidia.com/gpu.product": "x", "nvidia.com/gpu.count": "999999999"}}, "status": STATUS}],
            None,
            {},
            "more than any node has",
        ),
        (
            [{"metadata": {"name": "n", "labels": {"nvidia.com/gpu.count": "1" * 5000, "nvidia.com/gpu.product": "x"}}, "status": STATUS}],
            None,
            {},
            "not a whole number",
        ),
        (
            [{"metadata": {"name": "n"}, "status": {"capacity": {"memory": "1Gi"}, "allocatable": {"memory": "1Gi", "nvidia.com/gpu": "9999999"}}}],
            None,
            {},
            "more than any node has",
        ),
        ([], {}, {}, "not a list of ResourceSlices"),
        ([], [1], {}, "not a ResourceSlice"),
        ([], None, {"sharing": "half"}, "not one of the choices"),
        ([], None, {"sharin": "divide"}, "Did you mean 'sharing'"),
        ([], None, {"memory_used_bytes": -1}, "too small"),
    ],
)
def test_malformed_input_is_one_clear_error(nodes, slices, options, message):
    with pytest.raises(InfraError, match=message):
        facts_by_node(nodes, slices, options)


@pytest.mark.parametrize(
    "device, message",
    [
        (1, "not a device"),
        ({"attributes": {"uuid": "GPU-1"}}, "not the value of an attribute"),
        ({"attributes": {"uuid": {"string": 1}}}, "not the string that it says"),
        ({"attributes": {"uuid": {"string": "a", "int": 1}}}, "not the value of an attribute"),
        ({"attributes": [], "capacity": {}}, "not a dictionary"),
        ({"attributes": {}, "capacity": {"memory": {"value": "-1"}}}, "not a quantity"),
    ],
)
def test_malformed_slices_are_one_clear_error(device, message):
    with pytest.raises(InfraError, match=message):
        dra({"spec": {"driver": "gpu.nvidia.com", "nodeName": "dra-a100", "devices": [device]}})


def test_any_part_of_a_node_may_be_anything():
    """No error but InfraError, whatever stands where."""
    junk = [None, True, 0, -1, 1.5, "", "x", [], {}, [[]], {"a": {}}]
    for name in ("mig-mixed", "l4-shared", "mi300x-vf", "b60", "gke-t4"):
        for path in _paths(NODES[name]):
            for value in junk:
                node = copy.deepcopy(NODES[name])
                _put(node, path, value)
                try:
                    got = facts_by_node([node], SLICES)
                except InfraError:
                    continue
                assert all(isinstance(each["devices"], list) for each in got.values())


def _paths(value, path=()):
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def _put(whole, path, value):
    for key in path[:-1]:
        whole = whole[key]
    whole[path[-1]] = value
