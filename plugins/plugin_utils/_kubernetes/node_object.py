# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Node object of the Kubernetes API, checked as far as it is read here."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .quantity import quantity

MOST_GPUS = 512
"""More than any node: 16 GPUs with 7 MIG instances each, shared by 4."""


@dataclass(frozen=True)
class NodeObject:
    """C(labels): texts. C(capacity) and C(allocatable): quantities as they are told. C(info): C(status.nodeInfo). C(where): for errors."""

    name: str
    labels: dict
    capacity: dict
    allocatable: dict
    info: dict
    conditions: tuple[dict, ...]
    unschedulable: bool
    where: str

    def label(self, *keys):
        """The value of the first of C(keys) that is a label; None for none, and for an empty one."""
        return next((self.labels[key] for key in keys if self.labels.get(key)), None)

    def number(self, *keys, most=MOST_GPUS):
        """The same as a whole number; InfraError for one that isn't, or that no node has."""
        key = next((key for key in keys if self.labels.get(key)), None)
        if key is None:
            return None
        text, where = self.labels[key], f"{self.where}.metadata.labels['{key}']"
        if not (text.isascii() and text.isdecimal() and len(text) <= 20):
            raise InfraError("not a whole number", where, shown(text))
        if int(text) > most:
            raise InfraError("more than any node has", where, shown(text), f"at most {most}")
        return int(text)

    def count(self, *resources):
        """How many of the extended resources C(resources) pods may be given."""
        found = [quantity(self.allocatable[name], f"{self.where}.status.allocatable['{name}']") for name in resources if name in self.allocatable]
        if sum(found) > MOST_GPUS:
            raise InfraError("more than any node has", f"{self.where}.status.allocatable", f"{sum(found)} of {' and '.join(resources)}", f"at most {MOST_GPUS}")
        return sum(found)

    def amount(self, resource, capacity=False):
        """A quantity of C(resource), in bytes for memory; None where it isn't told."""
        part = "capacity" if capacity else "allocatable"
        amounts = self.capacity if capacity else self.allocatable
        return quantity(amounts[resource], f"{self.where}.status.{part}['{resource}']") if resource in amounts else None


def node_objects(nodes):
    """The NodeObjects of a list as C(kubernetes.core.k8s_info) returns it in C(resources); InfraError for anything else."""
    if not isinstance(nodes, list):
        raise InfraError("not a list of nodes", "nodes", shown(nodes), "resources, as kubernetes.core.k8s_info returns it for kind Node")
    found = [_node(node, f"nodes[{index}]") for index, node in enumerate(nodes)]
    names = set()
    for node in found:
        if node.name in names:
            raise InfraError("two nodes have the same name", "nodes", shown(node.name))
        names.add(node.name)
    return found


def _node(node, where):
    if not isinstance(node, dict):
        raise InfraError("not a node", where, shown(node), "a dictionary with metadata and status")
    if node.get("kind") not in (None, "Node"):
        raise InfraError("not a node", f"{where}.kind", shown(node["kind"]), "Node")
    metadata, status, spec = (part(node, name, where) for name in ("metadata", "status", "spec"))
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        raise InfraError("the node's name is missing", f"{where}.metadata.name", shown(name), "a string")
    labels = part(metadata, "labels", f"{where}.metadata")
    for key, value in labels.items():
        if not isinstance(value, str):
            raise InfraError("a label is not a string", f"{where}.metadata.labels['{key}']", shown(value))
    conditions = status.get("conditions") or []
    if not isinstance(conditions, list):
        raise InfraError("not a list", f"{where}.status.conditions", shown(conditions))
    return NodeObject(
        name=name,
        labels=labels,
        capacity=part(status, "capacity", f"{where}.status"),
        allocatable=part(status, "allocatable", f"{where}.status"),
        info=part(status, "nodeInfo", f"{where}.status"),
        conditions=tuple(condition for condition in conditions if isinstance(condition, dict)),
        unschedulable=spec.get("unschedulable") is True,
        where=where,
    )


def part(whole, name, where):
    """The dictionary C(name) in C(whole), empty where it is missing."""
    found = whole.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InfraError("not a dictionary", f"{where}.{name}", shown(found))
    return found
