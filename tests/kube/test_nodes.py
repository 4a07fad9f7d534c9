# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A thousand simulated GPU nodes: what the collection reads of them, and where pods go."""

from __future__ import annotations

import copy
from collections import Counter

import gpu_nodes
import pytest
from pods import POD, all_running, wanting

from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.facts import facts_by_node

GIB = 1024**3


def test_every_node_is_ready(kube):
    found = {each["metadata"]["name"]: gpu_nodes.ready(each) for each in kube.ask("GET", "/api/v1/nodes")["items"]}
    assert found == dict.fromkeys(kube.node_names, True) and len(found) == 1000


@pytest.fixture(scope="module")
def facts(kube):
    """By class, those of its nodes as the API server returns them."""
    nodes = kube.ask("GET", "/api/v1/nodes")["items"]
    got = facts_by_node(nodes)
    found = {}
    for node in nodes:
        found.setdefault(node["metadata"]["labels"][gpu_nodes.CLASS], []).append(got[node["metadata"]["name"]])
    return found


@pytest.mark.parametrize(
    "name, count, expected, problems",
    [
        ("l4", 200, ["NVIDIA L4"], []),
        ("l40s-x4", 150, ["NVIDIA L40S"] * 4, []),
        ("a100-80gb-x8", 100, ["NVIDIA A100-SXM4-80GB"] * 8, []),
        ("h100-x8", 150, ["NVIDIA H100 80GB HBM3"] * 8, []),
        ("rtx-4090", 100, ["NVIDIA GeForce RTX 4090"], []),
        ("gb10", 50, ["NVIDIA GB10"], []),
        ("a30-mig", 50, ["NVIDIA A30 MIG 1g.6gb"] * 8, []),
        ("t4-shared", 50, [], ["gpu_shared"]),
        ("mi300x-x8", 50, ["AMD Instinct MI300X"] * 8, []),
        ("b60-x2", 50, ["Intel(R) Arc(TM) Pro B60 Graphics"] * 2, []),
        ("no-gpu", 50, [], []),
    ],
)
def test_facts_of_each_class(facts, name, count, expected, problems):
    assert len(facts[name]) == count
    for each in facts[name]:
        assert [device["name"] for device in each["devices"]] == expected
        assert [problem["code"] for problem in each["problems"]] == problems
        assert all(device["memory_free_bytes"] > 4 * GIB for device in each["devices"])
        assert 0 < each["host"]["memory_available_bytes"] < each["host"]["memory_total_bytes"]


def test_pods_land_on_nodes_with_the_gpu_they_ask_for(kube, namespace, eventually):
    classes = {each["metadata"]["name"]: each["metadata"]["labels"][gpu_nodes.CLASS] for each in kube.ask("GET", "/api/v1/nodes")["items"]}
    for product, count in (("NVIDIA-L40S", 4), ("NVIDIA-GB10", 1), ("NVIDIA-H100-80GB-HBM3", 8)):
        for number in range(5):
            kube.core.create_namespaced_pod(namespace, wanting(product, f"{product.lower()}-{number}", count=count))
    pods = eventually(lambda: all_running(kube, namespace, 15))
    landed = Counter(classes[pod.spec.node_name] for pod in pods)
    assert landed == {"l40s-x4": 5, "gb10": 5, "h100-x8": 5}
    # Each took all of a node's GPUs.
    assert len({pod.spec.node_name for pod in pods}) == 15


def test_a_pod_for_a_gpu_that_no_node_has_waits(kube, namespace, eventually):
    kube.core.create_namespaced_pod(namespace, wanting("NVIDIA-H200", "waits"))
    # Two GPUs where each node has one.
    kube.core.create_namespaced_pod(namespace, wanting("NVIDIA-L4", "too-many", count=2))

    def refused():
        found = {pod.metadata.name: pod.status for pod in kube.core.list_namespaced_pod(namespace).items}
        told = {name: [each.reason for each in status.conditions or [] if each.type == "PodScheduled"] for name, status in found.items()}
        return told == {"waits": ["Unschedulable"], "too-many": ["Unschedulable"]} and {status.phase for status in found.values()} == {"Pending"}

    eventually(refused)


def test_a_pod_that_tolerates_nothing_stays_off_gpu_nodes(kube, namespace, eventually):
    kube.core.create_namespaced_pod(namespace, POD)
    (pod,) = eventually(lambda: all_running(kube, namespace, 1))
    assert pod.spec.node_name.startswith("no-gpu-")


def test_a_device_is_claimed_by_what_its_slice_says(kube, namespace, eventually):
    """Dynamic resource allocation, with slices as NVIDIA's driver publishes them."""
    for number, memory in ((0, "48Gi"), (1, "80Gi")):
        kube.ask("POST", "/apis/resource.k8s.io/v1/resourceslices", resource_slice(f"no-gpu-000{number}", memory), fieldValidation="Strict")
    device_class = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": "gpu.nvidia.com"},
        "spec": {"selectors": [{"cel": {"expression": "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'gpu'"}}]},
    }
    kube.ask("POST", "/apis/resource.k8s.io/v1/deviceclasses", device_class, fieldValidation="Strict")
    enough = "device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('60Gi')) >= 0"
    request = {"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com", "selectors": [{"cel": {"expression": enough}}]}}
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "gpu"},
        "spec": {"devices": {"requests": [request]}},
    }
    pod = copy.deepcopy(POD)
    pod["spec"]["resourceClaims"] = [{"name": "gpu", "resourceClaimName": "gpu"}]
    pod["spec"]["containers"][0]["resources"] = {"claims": [{"name": "gpu"}]}
    try:
        kube.ask("POST", f"/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims", claim, fieldValidation="Strict")
        kube.core.create_namespaced_pod(namespace, pod)
        (running,) = eventually(lambda: all_running(kube, namespace, 1))
        assert running.spec.node_name == "no-gpu-0001"
        slices = kube.ask("GET", "/apis/resource.k8s.io/v1/resourceslices")["items"]
        node = kube.ask("GET", "/api/v1/nodes/no-gpu-0001")
        (device,) = facts_by_node([node], slices)["no-gpu-0001"]["devices"]
        assert device["name"] == "NVIDIA A100-SXM4-80GB" and device["uuid"] == "GPU-no-gpu-0001"
    finally:
        kube.ask("DELETE", "/apis/resource.k8s.io/v1/resourceslices")
        kube.ask("DELETE", "/apis/resource.k8s.io/v1/deviceclasses/gpu.nvidia.com")


def resource_slice(node, memory):
    attributes = {
        "type": {"string": "gpu"},
        "productName": {"string": "NVIDIA A100-SXM4-80GB"},
        "uuid": {"string": f"GPU-{node}"},
        "architecture": {"string": "Ampere"},
        "cudaComputeCapability": {"version": "8.0.0"},
        "driverVersion": {"version": "580.95.5"},
    }
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceSlice",
        "metadata": {"name": f"{node}-gpu.nvidia.com"},
        "spec": {
            "driver": "gpu.nvidia.com",
            "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
            "devices": [{"name": "gpu-0", "attributes": attributes, "capacity": {"memory": {"value": memory}}}],
        },
    }
