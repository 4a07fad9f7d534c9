# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A thousand GPU nodes of many kinds: a server for each class of them comes to nodes of that class only."""

from __future__ import annotations

import gpu_nodes
import pytest
import yaml
from objects import rendered, send
from variants import HEADERS, MACHINES

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.plans import kubernetes_plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

REPLICAS = 5


@pytest.fixture(scope="module")
def planned(kube):
    """Rows of a plan for each class, with shares of shared GPUs."""
    classes = node_classes(kube.ask("GET", "/api/v1/nodes")["items"], None, {"sharing": "divide"})["classes"]
    model = {**read_model(str(HEADERS / "Llama-3.2-3B-Q4_K_M.gguf")), "header_only": False}
    return kubernetes_plans(model, classes, {"choose": "each", "ctx_size": 4096})["plans"]


def test_the_classes_are_those_of_the_nodes(kube, planned):
    """By the label that only these tests know."""
    known = {}
    for node in kube.ask("GET", "/api/v1/nodes")["items"]:
        known.setdefault(node["metadata"]["labels"][gpu_nodes.CLASS], set()).add(node["metadata"]["name"])
    found = [set(row["node_class"]["nodes"]) for row in planned]
    assert sorted(map(sorted, found)) == sorted(map(sorted, known.values()))


@pytest.fixture
def model(kube, namespace):
    """A claim with a model, as far as the scheduler is concerned."""
    modes, capacity = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}, {"storage": "10Gi"}
    spec = {**modes, "capacity": capacity, "nfs": {"server": "192.0.2.1", "path": "/models"}}
    kube.ask("POST", "/api/v1/persistentvolumes", {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": namespace}, "spec": spec})
    claim = {**modes, "resources": {"requests": capacity}, "volumeName": namespace}
    send(kube, namespace, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "models"}, "spec": claim})
    return {"source": "claim", "claim_name": "models"}


def apply(kube, programs, namespace, directory, release, values):
    path = directory / f"{release}.yaml"
    path.write_text(yaml.safe_dump(values))
    for each in rendered(programs, path, release=release):
        send(kube, namespace, each)


def placed(kube, namespace, count):
    """The pods, where so many have a node."""
    pods = kube.core.list_namespaced_pod(namespace).items
    return pods if len(pods) == count and all(pod.spec.node_name for pod in pods) else None


def test_pods_come_to_nodes_of_their_class_only(kube, programs, planned, model, namespace, eventually, tmp_path, note):
    chosen = {f"on-{row['name']}"[:40].rstrip("-"): row for row in planned if row["chosen"] and row["node_class"]["gpu"]}
    assert len(chosen) >= 9
    for release, row in chosen.items():
        values = helm_values(row["plan"], {"node_class": row["node_class"], "model": model, "replicas": REPLICAS})
        apply(kube, programs, namespace, tmp_path, release, values)
    pods = eventually(lambda: placed(kube, namespace, REPLICAS * len(chosen)), 120)
    for pod in pods:
        row = chosen[pod.metadata.labels["app.kubernetes.io/instance"]]
        assert pod.spec.node_name in row["node_class"]["nodes"], f"{row['name']}: on {pod.spec.node_name}"
    note(f"placement: {len(pods)} pods of {len(chosen)} plans on {len(kube.node_names)} nodes, each on one that its plan was made for")


@pytest.mark.parametrize("machine, product", [("h100-x8", "NVIDIA-H100-80GB-HBM3"), ("l4", "NVIDIA-L4"), ("l40s-x4", "NVIDIA-L40S")])
def test_values_for_any_cluster_find_the_gpu_by_its_name(kube, programs, model, namespace, eventually, tmp_path, machine, product):
    """As a catalogue has them: made without this cluster."""
    gpus, _ram = MACHINES[machine]
    described = {"gpus": [{"model": name, "count": count} for name, count in gpus], "ram_bytes": 32 * 2**30, "cuda_max": "13.0"}
    header = {**read_model(str(HEADERS / "Llama-3.1-8B-Q4_K_M.gguf")), "header_only": False}
    apply(kube, programs, namespace, tmp_path, "any", helm_values(plan(header, described, {}), {"model": model, "replicas": REPLICAS}))
    for pod in eventually(lambda: placed(kube, namespace, REPLICAS)):
        labels = kube.ask("GET", f"/api/v1/nodes/{pod.spec.node_name}")["metadata"]["labels"]
        assert labels["nvidia.com/gpu.product"] == product
