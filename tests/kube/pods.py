# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pods for tests."""

from __future__ import annotations

import copy

RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "asks"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": "none", "securityContext": RESTRICTED}],
    },
}
"""One that a restricted namespace takes, and that asks for nothing."""


def wanting(product, name, resource="nvidia.com/gpu", count=1):
    """A pod for nodes with one GPU product."""
    pod = copy.deepcopy(POD)
    pod["metadata"]["name"] = name
    term = {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": [product]}]}
    pod["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    pod["spec"]["tolerations"] = [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}]
    pod["spec"]["containers"][0]["resources"] = {"limits": {resource: str(count)}}
    return pod


def all_running(kube, namespace, count):
    """The pods, where so many run."""
    pods = kube.core.list_namespaced_pod(namespace).items
    return pods if len(pods) == count and all(pod.status.phase == "Running" for pod in pods) else None
