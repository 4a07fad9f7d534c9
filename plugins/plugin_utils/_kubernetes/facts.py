# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts in the shape of gpu_facts for each node of a cluster, without touching the nodes."""

from __future__ import annotations

from .._options import Option, check_options
from . import amd, amd_slices, intel, intel_slices, nvidia, nvidia_slices
from .found import Options
from .host import host, platform
from .node_object import node_objects
from .slices import slices_by_node

SCHEMA = 2
READERS = {"nvidia": (nvidia, nvidia_slices), "amd": (amd, amd_slices), "intel": (intel, intel_slices)}
SPEC = {"sharing": Option("str", choices=("refuse", "divide")), "memory_used_bytes": Option("int", minimum=0)}


def facts_by_node(nodes, resource_slices=None, options=None):
    """C({node name: facts}) for a list of Node objects, and of ResourceSlices where there are any.

    C(options): C(sharing) (refuse or divide) and C(memory_used_bytes). What labels don't tell is None; a GPU whose memory neither the labels nor
    the table of GPUs tell is left out and named under C(problems). Raises InfraError for malformed objects.
    """
    option = check_options(options or {}, SPEC, "kubernetes_gpu_facts")
    by_node = slices_by_node([] if resource_slices is None else resource_slices)
    return {node.name: facts_of(node, option, by_node.get(node.name, {})) for node in node_objects(nodes)}


def facts_of(node, option, slices):
    """The facts of a NodeObject. C(option): checked, as SPEC has it. C(slices): of this node, see slices_by_node(); they say more than a vendor's labels,
    and take their place."""
    options = Options(divide=option["sharing"] == "divide", used_bytes=option["memory_used_bytes"])
    found = []
    for vendor, (labels, of_slices) in READERS.items():
        found.append(of_slices.read(node, options, slices[vendor]) if vendor in slices else labels.read(node, options))
    devices = [device for each in found for device in each.devices]
    problems = [problem for each in found for problem in each.problems]
    return {
        "schema": SCHEMA,
        "devices": [{"index": index, **device} for index, device in enumerate(devices)],
        "driver": _driver(next((each.driver for each in found if each.driver), None)),
        "platform": platform(node),
        "host": host(node),
        "problems": problems + _state(node),
    }


def _driver(told):
    unknown = dict.fromkeys(("vendor", "version", "library_version", "mismatch", "cuda_max", "uvm", "secure_boot"))
    return {**unknown, **(told or {}), "other_cards": []}


def _state(node):
    """Why no pod would come to the node."""
    ready = next((condition.get("status") for condition in node.conditions if condition.get("type") == "Ready"), "True")
    if ready != "True":
        fix = "See the conditions of the node and its kubelet; its labels can be old."
        return [{"code": "node_not_ready", "message": f"the node is not ready (Ready is {ready})", "fix": fix}]
    if node.unschedulable:
        return [{"code": "node_cordoned", "message": "the node is cordoned: no new pod comes to it", "fix": f"kubectl uncordon {node.name}"}]
    return []
