# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan over several pods of one class of nodes, for a model that no node of the cluster holds."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from ..._options import Option, check_options
from ..._planning.multi_node.plan import multi_node_plan

WHERE = "llama_kubernetes_plans.multi_node"
MOST_PODS = 16
"""llama.cpp b11312 knows 16 devices (ggml-backend.h: GGML_SCHED_MAX_BACKENDS), of which one is the processor's."""

SPEC = {
    "node_class": Option("line"),
    "nodes": Option("int", minimum=2, maximum=MOST_PODS),
    "link_bytes_per_second": Option("number"),
    "round_trip_seconds": Option("number"),
    "worker_cache": Option("bool"),
}


def multi_node_row(model, classes, given, gpus, wishes, previous):
    """The row of kubernetes_plans() for a server and workers on one class of nodes.

    C(given): C(node_class), by default the one whose nodes have most GPU memory together, C(nodes), at most that many, and the network, see multi_node_plan().
    C(gpus): of each pod, None for all of a node. C(previous): class name -> plan.
    """
    option = check_options(given, SPEC, WHERE)
    node_class = _class(classes, option["node_class"])
    count = min(option["nodes"] or MOST_PODS, len(node_class["nodes"]))
    if count < 2:
        raise InfraError(
            "a model over several nodes needs several", f"{WHERE}.node_class", f"{node_class['name']} with {len(node_class['nodes'])} nodes", "at least 2"
        )
    most = node_class["gpu"]["most_per_pod"] if node_class["gpu"] else 0
    if gpus is not None and gpus > most:
        raise InfraError(f"a pod can have {most} GPUs here", "llama_kubernetes_plans.gpus", gpus, f"at most {most}")
    devices = node_class["facts"]["devices"][: most if gpus is None else gpus]
    nodes = {f"{node_class['name']}-{number}": {**node_class["facts"], "devices": devices} for number in range(count)}
    network = option["link_bytes_per_second"], option["round_trip_seconds"]
    made = multi_node_plan(model, nodes, wishes, *network, None, option["worker_cache"], previous.get(node_class["name"]))
    return {"name": node_class["name"], "node_class": node_class, "plan": made, "error": None, "chosen": True}


def _class(classes, name):
    by_name = {each["name"]: each for each in classes}
    if name is not None:
        if name not in by_name:
            raise InfraError("no class of nodes has this name", f"{WHERE}.node_class", shown(name), fix=nearest(name, by_name))
        return by_name[name]
    if not classes:
        raise InfraError("no node is ready for pods", WHERE)
    return max(classes, key=lambda each: (_vram(each), each["name"]))


def _vram(each):
    return sum(device["memory_free_bytes"] for device in each["facts"]["devices"]) * len(each["nodes"])
