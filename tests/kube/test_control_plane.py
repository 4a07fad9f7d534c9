# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control plane itself: without these, that the others pass would say little."""

from __future__ import annotations

import pytest
import tools
from cluster import Refused
from kubernetes import client
from pods import POD

CUSTOM = {
    "monitoring.coreos.com/v1/podmonitors": ({"selector": {"matchLabels": {"a": "b"}}}, ("selector", "matchLabel", {})),
    "keda.sh/v1alpha1/scaledobjects": ({"scaleTargetRef": {"name": "x"}, "triggers": []}, ("scaleTargetRef", "names", "x")),
    "keda.sh/v1alpha1/triggerauthentications": ({"secretTargetRef": []}, (None, "secretTargetRefs", [])),
    "gateway.networking.k8s.io/v1/httproutes": ({"rules": [], "parentRefs": []}, (None, "parentRef", [])),
    "leaderworkerset.x-k8s.io/v1/leaderworkersets": (
        {"leaderWorkerTemplate": {"workerTemplate": {"spec": {"containers": [{"name": "a", "resources": {"limits": {"nvidia.com/gpu": 1}}}]}}}},
        ("leaderWorkerTemplate", "workerTemplates", {}),
    ),
}


def test_it_is_the_pinned_release(kube):
    assert client.VersionApi(kube.api).get_code().git_version == tools.TOOLS["kube-apiserver"].version


def test_rbac_gives_nothing_unasked(kube):
    somebody = kube.control_plane.client("somebody")
    assert somebody.ask("GET", "/api/v1/namespaces/default/secrets")[0] == 403
    assert kube.control_plane.client().ask("GET", "/api/v1/namespaces/default/secrets")[0] == 200


def test_who_shows_no_token_is_nobody(kube):
    nobody = kube.control_plane.client()
    nobody.token = "guessed"
    assert nobody.ask("GET", "/api/v1/namespaces")[0] == 401


def test_a_field_that_is_unknown_is_refused(kube, namespace):
    wrong = {**POD, "spec": {**POD["spec"], "nodeSelectors": {}}}
    with pytest.raises(Refused) as refused:
        kube.ask("POST", f"/api/v1/namespaces/{namespace}/pods", wrong, dryRun="All", fieldValidation="Strict")
    assert refused.value.status == 400 and 'unknown field "spec.nodeSelectors"' in refused.value.message
    kube.ask("POST", f"/api/v1/namespaces/{namespace}/pods", POD, dryRun="All", fieldValidation="Strict")
    assert kube.core.list_namespaced_pod(namespace).items == []


def test_a_pod_that_is_not_restricted_is_refused(kube, namespace):
    with pytest.raises(Refused) as refused:
        kube.ask("POST", f"/api/v1/namespaces/{namespace}/pods", {**POD, "spec": {**POD["spec"], "hostNetwork": True}})
    assert refused.value.status == 403 and 'violates PodSecurity "restricted:latest": host namespaces' in refused.value.message


@pytest.mark.parametrize("resource", CUSTOM)
def test_resources_of_operators_refuse_what_they_do_not_know(kube, namespace, resource):
    group, version, plural = resource.split("/")
    path = f"/apis/{group}/{version}/namespaces/{namespace}/{plural}"
    kind = client.CustomObjectsApi(kube.api).get_api_resources(group, version).resources
    spec, (within, key, value) = CUSTOM[resource]
    made = {"apiVersion": f"{group}/{version}", "kind": next(each.kind for each in kind if each.name == plural), "metadata": {"name": "x"}, "spec": spec}
    kube.ask("POST", path, made, fieldValidation="Strict")
    wrong = {**spec, within: {**spec[within], key: value}} if within else {**spec, key: value}
    with pytest.raises(Refused) as refused:
        kube.ask("POST", path, {**made, "metadata": {"name": "y"}, "spec": wrong}, fieldValidation="Strict")
    assert refused.value.status == 400 and f'unknown field "spec.{f"{within}." if within else ""}{key}"' in refused.value.message


def test_pods_of_a_leader_worker_set_are_checked_as_pods(kube, namespace):
    worker = {"spec": {"containers": [{"name": "a", "imagePullPolicies": "Always"}]}}
    made = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "x"},
        "spec": {"leaderWorkerTemplate": {"workerTemplate": worker}},
    }
    with pytest.raises(Refused) as refused:
        kube.ask("POST", f"/apis/leaderworkerset.x-k8s.io/v1/namespaces/{namespace}/leaderworkersets", made, fieldValidation="Strict")
    assert 'unknown field "spec.leaderWorkerTemplate.workerTemplate.spec.containers[0].imagePullPolicies"' in refused.value.message


def test_a_claim_is_bound(kube, namespace, eventually):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "40Gi"}}}
    kube.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "models"}, "spec": spec})
    eventually(lambda: kube.core.read_namespaced_persistent_volume_claim("models", namespace).status.phase == "Bound")
