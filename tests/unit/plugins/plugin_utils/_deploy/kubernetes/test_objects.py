# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose an object is."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.objects import changes, objects

RELEASE = {"server": "chat", "name": "chat-l4", "node_class": "l4"}
OURS = {"app.kubernetes.io/managed-by": "prositronic.infra", "app.kubernetes.io/part-of": "chat"}


def document(kind, name="chat", api_version="v1", **metadata):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}}


def live(kind, name="chat", labels=None, api_version="v1"):
    return {"apiVersion": api_version, "kind": kind, "name": name, "labels": OURS if labels is None else labels}


def test_labels_and_hooks():
    helm = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": "llama-server"}
    found = objects([None, document("Service", labels=helm), document("ConfigMap", annotations={"helm.sh/hook": "test"})], RELEASE)
    assert [each["kind"] for each in found] == ["Service"]
    assert found[0]["metadata"]["labels"] == {
        **OURS, "app.kubernetes.io/name": "llama-server", "app.kubernetes.io/instance": "chat-l4", "prositronic.eu/node-class": "l4",
    }  # fmt: skip


@pytest.mark.parametrize("documents, message", [
    ("text", "not rendered objects"),
    ([{"kind": "Service"}], "not an object of Kubernetes"),
    ([document("ClusterRole", api_version="rbac.authorization.k8s.io/v1")], "a kind that the role does not know"),
])  # fmt: skip
def test_what_is_not_rendered(documents, message):
    with pytest.raises(InfraError, match=message):
        objects(documents, RELEASE)


def test_what_is_somebody_elses():
    there = [
        live("Service"), live("ConfigMap", labels={}), live("Secret", labels={"app.kubernetes.io/managed-by": "Helm"}),
        live("ServiceAccount", labels={**OURS, "app.kubernetes.io/part-of": "other"}),
    ]  # fmt: skip
    found = changes([], {"named": there, "owned": []}, "chat")["foreign"]
    assert found == ["ConfigMap chat", "Secret chat (of Helm)", "ServiceAccount chat (of prositronic.infra, server other)"]


def test_what_is_left_over_and_no_claim():
    there = [live("Service"), live("PersistentVolumeClaim"), live("Deployment", api_version="apps/v1"), live("Secret", "chat-api-keys")]
    wanted = [document("Deployment", api_version="apps/v1")]
    assert [each["kind"] for each in changes(wanted, {"named": [], "owned": there}, "chat")["left_over"]] == ["Service", "Secret"]


def test_another_version_of_an_api_is_the_same_object():
    there = [live("ScaledObject", api_version="keda.sh/v1")]
    assert changes([document("ScaledObject", api_version="keda.sh/v1alpha1")], {"named": [], "owned": there}, "chat")["left_over"] == []
