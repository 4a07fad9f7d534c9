# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of a cluster, with that of them which plans are made from. Private: not an interface for other collections.

A Node object has much more, such as the names of all images on the node, and a cluster has many of them.
"""

from __future__ import annotations

SLICES = ("v1", "v1beta2", "v1beta1")
"""Versions of resource.k8s.io, the newest first: which of them a cluster has depends on its age."""

_STATUS = ("capacity", "allocatable", "nodeInfo")
_CONDITIONS = ("type", "status")


def nodes(api, selector=None):
    """{nodes: Node objects, resource_slices: ResourceSlice objects}, none of the latter where the cluster knows no such kind."""
    slices = next((found for found in (api.get(f"/apis/resource.k8s.io/{version}/resourceslices") for version in SLICES) if found), {})
    return {"nodes": [_node(each) for each in api.items("/api/v1/nodes", selector)], "resource_slices": [_slice(each) for each in slices.get("items") or []]}


def _node(node):
    metadata, spec, status = (node.get(part) or {} for part in ("metadata", "spec", "status"))
    conditions = [{key: each.get(key) for key in _CONDITIONS} for each in status.get("conditions") or [] if each.get("type") == "Ready"]
    return {
        "kind": "Node",
        "metadata": {"name": metadata.get("name"), "labels": metadata.get("labels") or {}},
        "spec": {"unschedulable": spec.get("unschedulable") is True},
        "status": {**{key: status.get(key) or {} for key in _STATUS}, "conditions": conditions},
    }


def _slice(found):
    return {"kind": "ResourceSlice", "metadata": {"name": (found.get("metadata") or {}).get("name")}, "spec": found.get("spec")}
