# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Classes of nodes: nodes that offer a pod the same, for each of which one plan is made.

Nodes are of one class when they have as many GPUs of the same kind, offered by the same resource, the same architecture and CUDA, and nearly as much RAM.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._options import Option, check_options
from .._units import GIB
from .facts import SPEC as FACTS_SPEC
from .facts import facts_of
from .found import Found
from .node_affinity import cuda_label, of_nodes
from .node_object import node_objects
from .offers import offers
from .slices import slices_by_node

WHERE = "kubernetes_node_classes"
SPEC = {**FACTS_SPEC, "node_selector": Option("dict")}
NEARLY = 0.9
"""Machines of one kind differ by what their firmware keeps; the class is as large as its smallest node."""

NO_PODS = ("node_not_ready", "node_cordoned")
_OF_ONE_GPU = ("uuid", "pci_bus_id", "numa_node", "render_node")
_SLUG = re.compile(r"[^a-z0-9]+")


def node_classes(nodes, resource_slices=None, options=None):
    """C({"classes": [...], "problems": [...]}) for Node objects, and ResourceSlices where there are any.

    C(options): those of facts_by_node(), and C(node_selector), labels that a node must have. A class has C(name), C(nodes), C(facts) (of the weakest of
    its nodes, in the shape of gpu_facts), C(gpu) (None without GPUs), C(node_affinity), matchExpressions, and C(cuda_label).
    """
    option = check_options(options or {}, SPEC, WHERE)
    selector = _selector(option.pop("node_selector"))
    by_node, objects = slices_by_node([] if resource_slices is None else resource_slices), node_objects(nodes)
    facts = {node.name: facts_of(node, option, by_node.get(node.name, {})) for node in objects}
    groups, problems = {}, []
    for node in objects:
        if any(node.labels.get(key) != value for key, value in selector.items()):
            continue
        found = Found(problems=list(facts[node.name]["problems"]))
        if not any(problem["code"] in NO_PODS for problem in found.problems):
            for offer in offers(node, facts[node.name], by_node.get(node.name, {}), found):
                groups.setdefault((*offer.alike, *_software(facts[node.name], offer)), []).append((node, offer))
        problems += [{"node": node.name, **problem} for problem in found.problems]
    classes = [_class(members, facts) for group in groups.values() for members in _by_ram(group, facts)]
    return {"classes": _named(classes), "problems": problems}


def _selector(given):
    for key, value in (given or {}).items():
        if not isinstance(value, str):
            raise InfraError("a label is not a string", f"{WHERE}.node_selector['{key}']", shown(value))
    return given or {}


def _software(facts, offer):
    """The architecture, and the driver's CUDA where a pod is given GPUs."""
    return facts["platform"]["machine"], facts["driver"]["cuda_max"] if offer.devices else None


def _ram(facts, node):
    return facts[node.name]["host"]["memory_available_bytes"]


def _by_ram(group, facts):
    """The members of a group in parts with nearly as much RAM, the largest first."""
    parts = []
    for member in sorted(group, key=lambda member: (-_ram(facts, member[0]), member[0].name)):
        if parts and _ram(facts, member[0]) >= NEARLY * _ram(facts, parts[-1][0][0]):
            parts[-1].append(member)
        else:
            parts.append([member])
    return parts


def _class(members, facts):
    nodes = [node for node, _offer in members]
    weakest, offer = members[-1]
    base = facts[weakest.name]
    least = [min(each.devices[index]["memory_free_bytes"] for _node, each in members) for index in range(len(offer.devices))]
    devices = [
        {**device, **dict.fromkeys(_OF_ONE_GPU), "index": index, "memory_free_bytes": least[index]} for index, device in enumerate(offer.devices)
    ]  # fmt: skip
    gpu = {
        "vendor": offer.vendor,
        "name": offer.devices[0]["name"],
        "resource_name": offer.resource,
        "claim": offer.claim,
        "count": len(offer.devices),
        "most_per_pod": offer.most_per_pod,
        "pods_per_gpu": offer.replicas,
    } if offer.devices else None  # fmt: skip
    return {
        "name": "",
        "nodes": sorted(node.name for node in nodes),
        "facts": {**base, "devices": devices, "problems": []},
        "gpu": gpu,
        "node_affinity": of_nodes(nodes, offer.vendor, offer.resource),
        "cuda_label": cuda_label(nodes) if offer.vendor == "nvidia" else None,
    }


def _named(classes):
    """The classes with names that tell them apart, sorted by them: part of a release's name, so only letters, digits and hyphens."""
    parts = (_gpus, _ram_part, _cuda_part, _arch_part, _resource_part)
    for count in range(len(parts)):
        named = ["-".join(filter(None, (part(each) for part in parts[: count + 1]))) for each in classes]
        for each, name in zip(classes, named, strict=True):
            if count == 0 or _taken(each["name"], classes) > 1:
                each["new"] = name
        for each in classes:
            each["name"] = each.pop("new", each["name"])
    seen = {}
    for each in classes:
        seen[each["name"]] = seen.get(each["name"], 0) + 1
        if seen[each["name"]] > 1:
            each["name"] += f"-{seen[each['name']]}"
    return sorted(classes, key=lambda each: each["name"])


def _taken(name, classes):
    return sum(each["name"] == name for each in classes)


def _gpus(each):
    gpu = each["gpu"]
    return "cpu" if gpu is None else slug(gpu["name"]) + (f"-x{gpu['count']}" if gpu["count"] > 1 else "")


def _ram_part(each):
    return f"{round(each['facts']['host']['memory_available_bytes'] / GIB)}g"


def _cuda_part(each):
    cuda = each["facts"]["driver"]["cuda_max"] if each["gpu"] else None
    return f"cuda{cuda.partition('.')[0]}" if cuda else ""


def _arch_part(each):
    return slug(each["facts"]["platform"]["machine"] or "")


def _resource_part(each):
    return slug((each["gpu"] or {}).get("resource_name") or "")


def slug(text):
    """C(text) as part of the name of an object."""
    return _SLUG.sub("-", text.lower()).strip("-")
