# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the chart rendered, as the objects that are applied; and which objects of the cluster stand in the way or are left over."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.release import KINDS, MANAGED_BY, PART_OF

from .owned import is_ours, labels

WHERE = "llama_kubernetes_objects"
HOOK = "helm.sh/hook"
KEPT = ("PersistentVolumeClaim",)
"""The model lies there: it is never removed."""


def objects(documents, release):
    """The objects of the YAML documents that helm rendered, with the labels of the role. Hooks, which only helm runs, are left out."""
    if not isinstance(documents, list):
        raise InfraError("not rendered objects", WHERE, shown(documents), "the documents that helm template writes, as a list")
    known = {(kind.api_version, kind.kind) for kind in KINDS}
    found = []
    for index, document in enumerate(documents):
        if document is None:
            continue
        where = f"{WHERE}[{index}]"
        metadata = document.get("metadata") if isinstance(document, dict) else None
        if not isinstance(metadata, dict) or not metadata.get("name"):
            raise InfraError("not an object of Kubernetes", where, shown(document))
        if HOOK in (metadata.get("annotations") or {}):
            continue
        if (document.get("apiVersion"), document.get("kind")) not in known:
            raise InfraError("a kind that the role does not know", where, f"{document.get('apiVersion')} {document.get('kind')}")
        own = labels(release["server"], release["name"], release["node_class"])
        found.append({**document, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **own}}})
    return found


def changes(wanted, live, server):
    """{foreign: [sentences], left_over: [{apiVersion, kind, name}]} for the objects that are wanted and what module kubernetes_release_info found."""
    foreign = [_whose(found) for found in live["named"] if not is_ours(found, server)]
    keep = {_identity(one["apiVersion"], one["kind"], one["metadata"]["name"]) for one in wanted}
    left = [found for found in live["owned"] if found["kind"] not in KEPT and _identity(found["apiVersion"], found["kind"], found["name"]) not in keep]
    return {"foreign": foreign, "left_over": [{key: found[key] for key in ("apiVersion", "kind", "name")} for found in left]}


def _identity(api_version, kind, name):
    """Without the version: an object is the same in all versions of its API."""
    return api_version.rpartition("/")[0], kind, name


def _whose(found):
    owner = found["labels"].get(MANAGED_BY)
    if owner is None:
        return f"{found['kind']} {found['name']}"
    return f"{found['kind']} {found['name']} (of {owner}{', server ' + found['labels'][PART_OF] if PART_OF in found['labels'] else ''})"
