# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Simulated GPU nodes: Node objects with the labels and resources of real ones, and no machine behind them.

Labels are those of GPU Feature Discovery, of AMD's node labeller and of Intel's NFD rules: where each form comes from, the fixtures of
tests/unit/plugins/plugin_utils/_kubernetes say. The same call always gives the same nodes.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import tools
from cluster import Client, Cluster, Failed

GPU = "nvidia.com/gpu"
CLASS = "tests.prositronic.eu/class"
"""A label that no real node has: which class a node is of, for tests to compare with."""
AT_ONCE = 8
RAM_KEPT_KIB = 2 * 1024 * 1024


@dataclass(frozen=True)
class NodeClass:
    """Nodes that are alike. C(resources) are those that pods ask GPUs by; C(ram_gib) is the node's own memory."""

    name: str
    share: int
    cpus: int
    ram_gib: int
    resources: dict[str, int]
    labels: dict[str, str]
    architecture: str = "amd64"
    zones: tuple[str, ...] = field(default=("a", "b", "c"))


def nvidia(product: str, count: int, memory_mib: int | None, capability: str, family: str, more: dict[str, str] | None = None) -> dict[str, str]:
    """What GPU Feature Discovery says; C(more) has other labels, or other values, all without nvidia.com/."""
    major, minor = capability.split(".")
    labels = {
        "gpu.present": "true",
        "gpu.product": product,
        "gpu.count": str(count),
        "gpu.compute.major": major,
        "gpu.compute.minor": minor,
        "gpu.family": family,
        "gpu.replicas": "1",
        "gpu.sharing-strategy": "none",
        "gpu.mode": "compute",
        "gpu.deploy.device-plugin": "true",
        "cuda.driver-version.full": "580.95.05",
        "cuda.driver-version.major": "580",
        "cuda.driver-version.minor": "95",
        "cuda.driver-version.revision": "05",
        "cuda.runtime-version.full": "13.0",
        "cuda.runtime-version.major": "13",
        "cuda.runtime-version.minor": "0",
        "mig.capable": "false",
        "mig.strategy": "none",
        "mps.capable": "false",
        "vgpu.present": "false",
        **({} if memory_mib is None else {"gpu.memory": str(memory_mib)}),
        **(more or {}),
    }
    return {f"nvidia.com/{name}": value for name, value in labels.items()}


CLASSES = (
    NodeClass("l4", 20, 16, 64, {GPU: 1}, nvidia("NVIDIA-L4", 1, 23034, "8.9", "ada-lovelace")),
    NodeClass("l40s-x4", 15, 64, 512, {GPU: 4}, nvidia("NVIDIA-L40S", 4, 46068, "8.9", "ada-lovelace")),
    NodeClass("a100-80gb-x8", 10, 128, 1024, {GPU: 8}, nvidia("NVIDIA-A100-SXM4-80GB", 8, 81920, "8.0", "ampere", {"mig.capable": "true"})),
    NodeClass(
        "h100-x8", 15, 224, 2015, {GPU: 8}, nvidia("NVIDIA-H100-80GB-HBM3", 8, 81559, "9.0", "hopper", {"gpu.machine": "DGXH100", "mig.capable": "true"})
    ),
    NodeClass("rtx-4090", 10, 32, 128, {GPU: 1}, nvidia("NVIDIA-GeForce-RTX-4090", 1, 24564, "8.9", "ada-lovelace", {"gpu.mode": "graphics"})),
    # Its memory is the node's, and the driver does not tell how much of it the GPU may take.
    NodeClass("gb10", 5, 20, 119, {GPU: 1}, nvidia("NVIDIA-GB10", 1, None, "12.1", "blackwell"), architecture="arm64"),
    NodeClass(
        "a30-mig",
        5,
        64,
        256,
        {GPU: 0, "nvidia.com/mig-1g.6gb": 8},
        nvidia(
            "NVIDIA-A30",
            2,
            24576,
            "8.0",
            "ampere",
            {
                "gpu.replicas": "0",
                "mig.capable": "true",
                "mig.config": "all-1g.6gb",
                "mig.strategy": "mixed",
                "mig-1g.6gb.count": "8",
                "mig-1g.6gb.memory": "5952",
                "mig-1g.6gb.product": "NVIDIA-A30-MIG-1g.6gb",
                "mig-1g.6gb.replicas": "1",
                "mig-1g.6gb.slices.ci": "1",
                "mig-1g.6gb.slices.gi": "1",
            },
        ),
    ),
    NodeClass(
        "t4-shared", 5, 8, 30, {GPU: 4}, nvidia("Tesla-T4-SHARED", 1, 15360, "7.5", "turing", {"gpu.replicas": "4", "gpu.sharing-strategy": "time-slicing"})
    ),
    NodeClass(
        "mi300x-x8",
        5,
        192,
        2267,
        {"amd.com/gpu": 8},
        {
            "amd.com/gpu.cu-count": "304",
            "amd.com/gpu.device-id": "74a1",
            "amd.com/gpu.driver-version": "6.12.12",
            "amd.com/gpu.family": "AI",
            "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM",
            "amd.com/gpu.simd-count": "1216",
            "amd.com/gpu.vram": "192G",
            "feature.node.kubernetes.io/amd-gpu": "true",
        },
    ),
    NodeClass(
        "b60-x2",
        5,
        32,
        125,
        {"gpu.intel.com/xe": 2, "gpu.intel.com/xe_monitoring": 0},
        {
            "gpu.intel.com/device-id.0300-e211.count": "2",
            "gpu.intel.com/device-id.0300-e211.present": "true",
            "gpu.intel.com/product": "Arc_Pro_B60",
            "intel.feature.node.kubernetes.io/gpu": "true",
        },
    ),
    NodeClass("no-gpu", 5, 16, 64, {}, {}),
)
"""C(share) is in hundredths of a cluster."""


def nodes(count: int) -> list[dict]:
    """So many Node objects, each class with its share of them and at least one."""
    every = sum(each.share for each in CLASSES)
    made = []
    for each in CLASSES:
        made += [node(each, number) for number in range(max(1, count * each.share // every))]
    while len(made) < count:
        made.append(node(CLASSES[0], len(made)))
    if len(made) > count:
        raise ValueError(f"{len(CLASSES)} classes do not fit into {count} nodes")
    return made


def node(of: NodeClass, number: int) -> dict:
    name = f"{of.name}-{number:04d}"
    memory = of.ram_gib * 1024 * 1024
    amounts = {"cpu": str(of.cpus), "pods": "110", "ephemeral-storage": "900Gi", **{resource: str(amount) for resource, amount in of.resources.items()}}
    zone = of.zones[number % len(of.zones)]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/arch": of.architecture,
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": zone,
                CLASS: of.name,
                **of.labels,
            },
        },
        # As GPU nodes are kept for those who ask for a GPU.
        "spec": {"taints": [{"key": next(iter(of.resources)), "effect": "NoSchedule"}]} if of.resources else {},
        "status": {
            "capacity": {**amounts, "memory": f"{memory}Ki"},
            "allocatable": {**amounts, "memory": f"{memory - RAM_KEPT_KIB}Ki"},
            "nodeInfo": {
                "architecture": of.architecture,
                "bootID": "",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.8.0-79-generic",
                "kubeProxyVersion": "",
                "kubeletVersion": tools.TOOLS["kube-apiserver"].version,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Ubuntu 24.04.3 LTS",
                "systemUUID": "",
            },
            "phase": "Running",
        },
    }


def register(cluster: Cluster, count: int) -> list[str]:
    """Make them known to the API server; their names."""
    made = nodes(count)

    def some(first: int) -> None:
        client = cluster.client()
        for each in made[first::AT_ONCE]:
            client.answer("POST", "/api/v1/nodes", each, fieldValidation="Strict")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        # So that what was refused is raised.
        list(threads.map(some, range(AT_ONCE)))
    return [each["metadata"]["name"] for each in made]


def wait(client: Client, names: list[str], seconds: float) -> None:
    """Until pods can come to each of them. Raises Failed."""
    until = time.monotonic() + seconds
    for number, name in enumerate(names):
        while not ready(found := client.answer("GET", f"/api/v1/nodes/{name}")):
            if time.monotonic() > until:
                raise Failed(f"{name}, the {number + 1}. of {len(names)} nodes, is not ready after {seconds} s: {json.dumps(found)}")
            time.sleep(0.1)


def ready(node: dict) -> bool:
    waiting = [taint for taint in node["spec"].get("taints", []) if taint["key"].startswith("node.kubernetes.io/")]
    return not waiting and any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", []))
