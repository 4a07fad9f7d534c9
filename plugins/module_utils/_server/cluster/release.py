# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster has of a server that the role made. Private: not an interface for other collections."""

from __future__ import annotations

import json
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.api import METADATA, METADATA_LIST

MANAGER = "prositronic.infra"
MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
INSTANCE = "app.kubernetes.io/instance"
NODE_CLASS = "prositronic.eu/node-class"
RECORD = "prositronic.eu/record"


class Kind(NamedTuple):
    """A kind of object that the chart may render."""

    api_version: str
    kind: str
    plural: str

    def path(self, namespace, name=None):
        root = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


KINDS = (
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    Kind("v1", "Secret", "secrets"),
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("v1", "Service", "services"),
    Kind("apps/v1", "Deployment", "deployments"),
    Kind("apps/v1", "StatefulSet", "statefulsets"),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("networking.k8s.io/v1", "Ingress", "ingresses"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("resource.k8s.io/v1", "ResourceClaimTemplate", "resourceclaimtemplates"),
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),
    Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors"),
    Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects"),
    Kind("keda.sh/v1alpha1", "TriggerAuthentication", "triggerauthentications"),
    Kind("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "leaderworkersets"),
)
"""What the chart renders; what a release no longer has is looked for among these."""


def release(api, namespace, name, objects):
    """The objects of the server C(name), those of C(objects) that are there whoever made them, and what is kept of each release."""
    kinds = {(kind.api_version, kind.kind): kind for kind in KINDS}
    served = _served(api)
    ours = f"{MANAGED_BY}={MANAGER},{PART_OF}={name}"
    owned = []
    for kind in KINDS:
        if kind.api_version in served:
            owned += [_metadata(kind, item) for item in api.items(kind.path(namespace), ours, METADATA_LIST)]
    named = []
    for index, wanted in enumerate(objects):
        kind, called = kinds.get((wanted.get("apiVersion"), wanted.get("kind"))), (wanted.get("metadata") or {}).get("name")
        if kind is None or not called:
            raise InfraError("not an object that the chart renders", f"objects[{index}]", shown(wanted), "apiVersion, kind and metadata.name")
        found = api.get(kind.path(namespace, called), accept=METADATA) if kind.api_version in served else None
        if found:
            named.append(_metadata(kind, found))
    return {
        "schema": 1,
        "version": (api.get("/version") or {}).get("gitVersion"),
        "api_versions": sorted(served),
        "namespace_exists": api.get(f"/api/v1/namespaces/{namespace}", accept=METADATA) is not None,
        "owned": owned,
        "named": named,
        "releases": _releases(api.items(Kind("v1", "ConfigMap", "configmaps").path(namespace), ours)),
    }


def _served(api):
    """The versions of APIs that the cluster has, as C(apps/v1)."""
    groups = (api.get("/apis") or {}).get("groups") or []
    return {"v1"} | {version["groupVersion"] for group in groups for version in group.get("versions") or []}


def _metadata(kind, item):
    metadata = item["metadata"]
    return {"apiVersion": kind.api_version, "kind": kind.kind, "name": metadata["name"], "labels": metadata.get("labels") or {}}


def _releases(maps):
    """[{name, node_class, plan, values}] from the ConfigMaps of the chart (the plan that was applied) and of the role (the values that were last ready)."""
    found = {}
    for item in maps:
        labels, data = item["metadata"].get("labels") or {}, item.get("data") or {}
        one = found.setdefault(labels.get(INSTANCE), {"name": labels.get(INSTANCE), "node_class": labels.get(NODE_CLASS), "plan": None, "values": None})
        if labels.get(RECORD) == "values":
            one["values"] = _json(data.get("values.json"))
        elif "plan.json" in data:
            one["plan"] = _json(data["plan.json"])
    return [found[name] for name in sorted(found, key=str)]


def _json(text):
    """None for what somebody has edited until it is none."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None
