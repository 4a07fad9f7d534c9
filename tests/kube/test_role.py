# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role llama_server_kubernetes against a real API server: twice, in check mode, after drift, beside others, back again."""

from __future__ import annotations

import json
from urllib.parse import quote

import checkout
import pytest
import yaml
from kubernetes import client

L4 = "nvidia-l4"
CLAIM = {"source": "claim", "claim_name": "models"}
MANAGED = {"app.kubernetes.io/managed-by": "prositronic.infra", "app.kubernetes.io/part-of": "chat"}


@pytest.fixture
def claim(kube, namespace):
    """A claim that somebody has filled with models."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    kube.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "models"}, "spec": spec})
    return "models"


PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}


def found(kube, path):
    """What the API server has at a path."""
    status, answer = kube.control_plane.client().ask("GET", path)
    assert status == 200, answer
    return json.loads(answer)


def owned(kube, namespace):
    """{(kind, name)} of what has the role's labels."""
    selector = quote(",".join(f"{key}={value}" for key, value in MANAGED.items()))
    lists = {kind: found(kube, f"{path.format(namespace)}?labelSelector={selector}") for kind, path in PATHS.items()}
    return {(kind, item["metadata"]["name"]) for kind, told in lists.items() for item in told["items"]}


ALWAYS = {
    ("ServiceAccount", "chat"), ("NetworkPolicy", "chat"), ("ConfigMap", "chat-plan"), ("ConfigMap", "chat-values"), ("Deployment", "chat"),
}  # fmt: skip


def deployment(kube, namespace, name="chat"):
    return client.AppsV1Api(kube.api).read_namespaced_deployment(name, namespace)


def test_main_twice_and_what_check_mode_says(role, kube, namespace, claim):
    predicted = role("--check", "--diff", delivery=CLAIM)
    assert predicted.status == 0, predicted.output
    assert predicted.changed > 0 and '"kind": "Deployment"' in predicted.output
    assert owned(kube, namespace) == set()
    first = role(delivery=CLAIM)
    assert first.status == 0, first.output
    assert first.changed > 0 and owned(kube, namespace) == ALWAYS
    (pod,) = kube.core.list_namespaced_pod(namespace).items
    labels = kube.core.read_node(pod.spec.node_name).metadata.labels
    plan = json.loads(kube.core.read_namespaced_config_map("chat-plan", namespace).data["plan.json"])
    assert pod.status.phase == "Running" and labels["nvidia.com/gpu.product"] == "NVIDIA-L4" and plan["node"]["gpus"][0]["name"] == "NVIDIA L4"
    before = deployment(kube, namespace).metadata.resource_version
    second = role(delivery=CLAIM)
    assert (second.status, second.changed) == (0, 0), second.output
    looked = role("--check", "--diff", delivery=CLAIM)
    assert (looked.status, looked.changed) == (0, 0), looked.output
    assert deployment(kube, namespace).metadata.resource_version == before


def test_a_namespace_that_is_not_there(role, kube, namespace):
    new = f"{namespace}-new"
    predicted = role("--check", delivery=CLAIM, namespace=new)
    assert predicted.status == 0 and predicted.changed >= 2, predicted.output
    assert '"Deployment chat"' in predicted.output
    assert new not in [each.metadata.name for each in kube.core.list_namespace().items]
    refused = role(delivery=CLAIM, namespace=new, create_namespace=False)
    assert refused.status == 2 and f"The namespace {new} does not exist" in refused.output


def test_drift_is_shown_and_repaired(role, kube, namespace, claim):
    assert role(delivery=CLAIM).status == 0
    planned = deployment(kube, namespace).spec.template.spec.containers[0].image
    edited = {"spec": {"template": {"spec": {"containers": [{"name": "server", "image": "other:1"}]}}}}
    client.AppsV1Api(kube.api).patch_namespaced_deployment("chat", namespace, edited, field_manager="somebody")
    shown = role("--check", "--diff", delivery=CLAIM)
    assert shown.status == 0 and shown.changed == 1 and "other:1" in shown.output and planned in shown.output
    assert deployment(kube, namespace).spec.template.spec.containers[0].image == "other:1"
    repaired = role(delivery=CLAIM)
    assert (repaired.status, repaired.changed) == (0, 1), repaired.output
    assert deployment(kube, namespace).spec.template.spec.containers[0].image == planned


def test_what_is_not_wanted_any_more_is_removed_and_a_claim_stays(role, kube, namespace):
    download = {"source": "download", "files": [{"url": "http://models.example.com/model.gguf", "sha256": "ab" * 32, "size_bytes": 2**20}]}
    more = {"podDisruptionBudget": {"enabled": True}}
    run = role(delivery=download, api_key="sesame-open", values=more)
    assert run.status == 0, run.output
    made = owned(kube, namespace)
    assert {("PodDisruptionBudget", "chat"), ("Service", "chat"), ("Secret", "chat-api-keys"), ("PersistentVolumeClaim", "chat-model")} < made
    assert "sesame-open" not in run.output
    again = role(delivery=download, api_key="sesame-open", values=more)
    assert (again.status, again.changed) == (0, 0), again.output
    predicted = role("--check", "--diff", delivery=download)
    assert predicted.status == 0 and predicted.changed > 0 and owned(kube, namespace) == made
    fewer = role(delivery=download)
    assert fewer.status == 0, fewer.output
    left = owned(kube, namespace)
    assert made - left == {("PodDisruptionBudget", "chat"), ("Service", "chat"), ("Secret", "chat-api-keys")}
    gone = role(entry="absent")
    assert gone.status == 0, gone.output
    assert owned(kube, namespace) == {("PersistentVolumeClaim", "chat-model")}
    nothing = role(entry="absent")
    assert (nothing.status, nothing.changed) == (0, 0), nothing.output


def test_what_is_somebody_elses_is_not_taken(role, kube, namespace, claim):
    kube.core.create_namespaced_config_map(namespace, {"metadata": {"name": "chat-plan"}, "data": {"mine": "yes"}})
    run = role(delivery=CLAIM)
    assert run.status == 2 and "these are somebody else's: ConfigMap chat-plan" in run.output
    assert owned(kube, namespace) == set()
    kube.core.delete_namespaced_config_map("chat-plan", namespace)
    kube.core.create_namespaced_secret(namespace, {"metadata": {"name": "chat-api-keys"}})
    run = role(delivery=CLAIM, api_key="sesame-open")
    assert run.status == 2 and "these are somebody else's: Secret chat-api-keys" in run.output
    # Another server of the role's is somebody else too.
    kube.core.create_namespaced_service_account(namespace, {"metadata": {"name": "chat", "labels": {**MANAGED, "app.kubernetes.io/part-of": "other"}}})
    run = role(delivery=CLAIM)
    assert run.status == 2 and "ServiceAccount chat (of prositronic.infra, server other)" in run.output


def test_a_server_for_each_class_and_back(role, kube, namespace, claim):
    both = {"choose": "each", "only": [L4, "nvidia-geforce-rtx-4090"], "delivery": CLAIM}
    run = role(**both)
    assert run.status == 0, run.output
    releases = {"chat-nvidia-l4", "chat-nvidia-geforce-rtx-4090"}
    assert {name for kind, name in owned(kube, namespace) if kind == "Deployment"} == releases
    on = {pod.metadata.labels["app.kubernetes.io/instance"]: kube.core.read_node(pod.spec.node_name).metadata.labels["nvidia.com/gpu.product"]
          for pod in kube.core.list_namespaced_pod(namespace).items}  # fmt: skip
    assert on == {"chat-nvidia-l4": "NVIDIA-L4", "chat-nvidia-geforce-rtx-4090": "NVIDIA-GeForce-RTX-4090"}
    again = role(**both)
    assert (again.status, again.changed) == (0, 0), again.output
    one = role(delivery=CLAIM)
    assert one.status == 0, one.output
    assert owned(kube, namespace) == ALWAYS


def test_what_is_rendered_is_what_is_applied(role, kube, namespace, claim, tmp_path):
    rendered = role(entry="render", delivery=CLAIM, render_directory=str(tmp_path / "out"))
    assert rendered.status == 0, rendered.output
    assert owned(kube, namespace) == set()
    assert role(delivery=CLAIM).status == 0
    objects = list(yaml.safe_load_all((tmp_path / "out" / "chat" / "objects.yaml").read_text()))
    assert {(each["kind"], each["metadata"]["name"]) for each in objects} == ALWAYS - {("ConfigMap", "chat-values")}
    for each in objects:
        live = found(kube, f"{PATHS[each['kind']].format(namespace)}/{each['metadata']['name']}")
        assert within(each, live) == []
    values = yaml.safe_load((tmp_path / "out" / "chat" / "values.yaml").read_text())
    assert values == json.loads(kube.core.read_namespaced_config_map("chat-values", namespace).data["values.json"])
    again = role(entry="render", delivery=CLAIM, render_directory=str(tmp_path / "out"))
    assert (again.status, again.changed) == (0, 0), again.output


def within(wanted, live, path=""):
    """Where C(live) does not have what is wanted; what the API server adds is no difference."""
    if isinstance(wanted, dict):
        return [found for key, value in wanted.items() if value not in ({}, [], None) for found in within(value, (live or {}).get(key), f"{path}.{key}")]
    if isinstance(wanted, list):
        if len(wanted) != len(live or []):
            return [path]
        return [found for index, value in enumerate(wanted) for found in within(value, live[index], f"{path}[{index}]")]
    return [] if wanted == live else [f"{path}: {wanted!r} is {live!r}"]


def test_a_first_release_that_does_not_become_ready(role, kube, namespace):
    """Its claim does not exist, so no node takes the pod."""
    run = role(delivery=CLAIM, ready_timeout=5)
    assert run.status == 2
    assert "no node takes it" in run.output and 'persistentvolumeclaim \\"models\\" not found' in run.output, run.output
    assert "chat never was ready, so it is removed again." in run.output
    assert owned(kube, namespace) == set()


def test_a_version_that_does_not_become_ready_is_taken_back(role, kube, namespace, claim):
    assert role(delivery=CLAIM).status == 0
    before = deployment(kube, namespace).spec.template.to_dict()
    run = role(delivery={"source": "claim", "claim_name": "none"}, ready_timeout=5)
    assert run.status == 2 and "The values with which chat was ready last are applied again." in run.output, run.output
    assert deployment(kube, namespace).spec.template.to_dict() == before
    as_it_was = role(delivery=CLAIM)
    assert (as_it_was.status, as_it_was.changed) == (0, 0), as_it_was.output
    left = role(delivery={"source": "claim", "claim_name": "none"}, ready_timeout=5, rollback=False)
    assert left.status == 2 and deployment(kube, namespace).spec.template.to_dict() != before


def test_without_helm_and_without_kubernetes_core(role, namespace, tmp_path):
    run = role(delivery=CLAIM, helm=str(tmp_path / "no-helm"))
    assert run.status == 2 and "Helm 3 is needed where these tasks run" in run.output, run.output
    alone = role(delivery=CLAIM, environment={"ANSIBLE_COLLECTIONS_PATH": str(checkout.linked())})
    assert alone.status == 2 and "The collection kubernetes.core is not installed" in alone.output, alone.output
