# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import copy
import pathlib

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
NODES = {node["metadata"]["name"]: node for node in yaml.safe_load((FIXTURES / "nodes.yml").read_text())}
SLICES = yaml.safe_load((FIXTURES / "resource_slices.yml").read_text())
GIB = 1024**3


def node(like, name=None, labels=None, allocatable=None):
    made = copy.deepcopy(NODES[like])
    made["metadata"]["name"] = name or like
    made["metadata"]["labels"].update(labels or {})
    made["status"]["allocatable"].update(allocatable or {})
    return made


def classes(*nodes, slices=None, **options):
    return node_classes(list(nodes), slices, options)["classes"]


def shown(found):
    return [(each["name"], each["nodes"]) for each in found]


def test_nodes_that_are_alike_are_one_class_as_large_as_the_smallest():
    large, small = node("h100-x8", "a"), node("h100-x8", "b", allocatable={"memory": "2000000000Ki"})
    (found,) = classes(large, small)
    assert (found["name"], found["nodes"]) == ("nvidia-h100-80gb-hbm3-x8", ["a", "b"])
    assert found["facts"]["host"]["memory_available_bytes"] == 2000000000 * 1024
    assert [device["uuid"] for device in found["facts"]["devices"]] == [None] * 8
    assert found["gpu"] == {
        "vendor": "nvidia", "name": "NVIDIA H100 80GB HBM3", "resource_name": "nvidia.com/gpu", "claim": None, "count": 8, "most_per_pod": 8, "pods_per_gpu": 1,
    }  # fmt: skip
    keys = {each["key"]: (each["operator"], each["values"]) for each in found["node_affinity"]}
    assert keys["nvidia.com/gpu.product"] == ("In", ["NVIDIA-H100-80GB-HBM3"])
    assert keys["nvidia.com/gpu.memory"] == ("In", ["81559"])
    assert keys["kubernetes.io/arch"] == ("In", ["amd64"])


@pytest.mark.parametrize(
    "change, names",
    [
        ({"allocatable": {"memory": "64Gi"}}, ["nvidia-h100-80gb-hbm3-x8-2015g", "nvidia-h100-80gb-hbm3-x8-64g"]),
        ({"allocatable": {"nvidia.com/gpu": "4"}, "labels": {"nvidia.com/gpu.count": "4"}}, ["nvidia-h100-80gb-hbm3-x4", "nvidia-h100-80gb-hbm3-x8"]),
        (
            {"labels": {"nvidia.com/cuda.runtime-version.full": "12.4", "nvidia.com/cuda.runtime-version.major": "12"}},
            ["nvidia-h100-80gb-hbm3-x8-2015g-cuda12", "nvidia-h100-80gb-hbm3-x8-2015g-cuda13"],
        ),
        ({"labels": {"nvidia.com/gpu.product": "NVIDIA-H200", "nvidia.com/gpu.memory": "143771"}}, ["nvidia-h100-80gb-hbm3-x8", "nvidia-h200-x8"]),
    ],
)
def test_what_makes_another_class(change, names):
    assert [each["name"] for each in classes(node("h100-x8", "a"), node("h100-x8", "b", **change))] == names


def test_each_mig_profile_of_a_node_is_a_class_of_which_a_pod_has_one():
    found = {each["gpu"]["resource_name"]: each for each in classes(node("mig-mixed"))}
    assert set(found) == {f"nvidia.com/mig-{profile}" for profile in ("1g.10gb", "2g.20gb", "3g.40gb")}
    small = found["nvidia.com/mig-1g.10gb"]
    assert (small["gpu"]["count"], small["gpu"]["most_per_pod"]) == (2, 1)
    assert small["node_affinity"][0] == {"key": "nvidia.com/mig-1g.10gb.product", "operator": "In", "values": ["NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"]}


def test_of_a_shared_gpu_a_pod_has_one_share():
    assert [each["gpu"] for each in classes(node("l4-shared"))] == [None]
    (found,) = classes(node("l4-shared"), sharing="divide")
    assert (found["gpu"]["pods_per_gpu"], found["gpu"]["most_per_pod"]) == (4, 1)
    assert {"key": "nvidia.com/gpu.replicas", "operator": "In", "values": ["4"]} in found["node_affinity"]


def test_gpus_that_resource_slices_tell_of_are_claimed():
    bare = node("no-gpu", "dra-a100")
    found = {each["name"]: each["gpu"] for each in classes(bare, slices=SLICES)}
    whole = found["nvidia-a100-80gb-pcie"]["claim"]
    assert found["nvidia-a100-80gb-pcie"]["resource_name"] is None
    assert whole["device_class_name"] == "gpu.nvidia.com"
    assert whole["selectors"][0] == 'device.attributes["gpu.nvidia.com"].productName == "NVIDIA A100 80GB PCIe"'
    assert whole["selectors"][-1] == f'device.capacity["gpu.nvidia.com"].memory.compareTo(quantity("{80 * GIB}")) >= 0'
    mig = found["nvidia-a100-80gb-pcie-mig-1g-10gb"]["claim"]
    assert mig["device_class_name"] == "mig.nvidia.com"
    assert 'device.attributes["gpu.nvidia.com"].profile == "1g.10gb"' in mig["selectors"]


def test_labels_of_amd_that_have_the_value_in_their_name():
    (found,) = classes(node("mi300x-vf"))
    assert {"key": "beta.amd.com/gpu.device-id.74b5", "operator": "Exists"} in found["node_affinity"]


def test_a_pod_is_not_promised_a_gpu_that_it_may_not_get():
    """The labels tell of one of the node's two GPUs, and the device plugin gives either."""
    got = node_classes([node("two-kinds")])
    assert got["classes"] == []
    assert [(problem["node"], problem["code"]) for problem in got["problems"]] == [("two-kinds", "gpu_mixed")]


def test_nodes_that_take_no_pods_are_in_no_class():
    gone, cordoned = node("h100-x8", "gone"), node("h100-x8", "cordoned")
    gone["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    cordoned["spec"] = {"unschedulable": True}
    got = node_classes([gone, cordoned])
    assert got["classes"] == []
    assert [problem["code"] for problem in got["problems"]] == ["node_not_ready", "node_cordoned"]


def test_only_nodes_with_the_labels_asked_for():
    labelled = node("h100-x8", "b", labels={"pool": "llm"})
    assert shown(classes(node("h100-x8", "a"), labelled, node_selector={"pool": "llm"})) == [("nvidia-h100-80gb-hbm3-x8", ["b"])]
    assert classes(labelled, node_selector={"pool": "other"}) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ({"node_selector": {"pool": 1}}, r"kubernetes_node_classes.node_selector\['pool'\]: a label is not a string \(got 1\)"),
        ({"selector": {}}, "unknown option 'selector'. Did you mean 'node_selector'"),
    ],
)
def test_malformed_options(options, message):
    with pytest.raises(InfraError, match=message):
        node_classes([], None, options)


def test_every_name_is_another_and_can_be_part_of_an_object_s_name():
    names = [each["name"] for each in node_classes(list(NODES.values()), SLICES)["classes"]]
    assert len(set(names)) == len(names) > 10
    assert all(name.replace("-", "").isalnum() and name == name.lower() and len(name) < 50 for name in names)
