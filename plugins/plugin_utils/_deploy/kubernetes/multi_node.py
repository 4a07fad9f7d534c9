# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workers of a model that no single node holds: the chart's C(multiNode). The pods of the workers are made of one template, so they have to be alike."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..._options import check_options
from ..image import check_pinned, check_qualified
from ..limits import whole_pages
from .gpu import pod_gpu
from .options import MULTI_NODE_SPEC, WHERE
from .parts import affinity, image_parts

HERE = f"{WHERE}.multi_node"
BINARY = "/app/ggml-rpc-server"


def multi_node_image(plan, given):
    """The image of head and workers, None for a plan of one node. llama.cpp's own have no RPC."""
    if not plan.get("multi_node"):
        if given is not None:
            raise InfraError("the plan is for one node", HERE, fix="Make one with the filter llama_multi_node_plan, or leave multi_node out")
        return None
    image = check_options(given or {}, MULTI_NODE_SPEC, HERE)["image"]
    if image is None:
        raise InfraError(
            "the image is missing", f"{HERE}.image", expected="an image with llama-server and ggml-rpc-server of one build; llama.cpp's own have none"
        )
    check_pinned(image, f"{HERE}.image")
    check_qualified(image, f"{HERE}.image")
    return image


def multi_node_values(plan, given, node_class):
    """(values, reasons, warnings); no values for a plan of one node. C(node_class): of the workers, where they are of one that is known."""
    image = multi_node_image(plan, given)
    if image is None:
        return {}, [], []
    option = check_options(given, MULTI_NODE_SPEC, HERE)
    if not option["accept_unauthenticated"]:
        raise InfraError(
            "the workers know neither passwords nor encryption: whoever reaches one can run what they want in it", f"{HERE}.accept_unauthenticated",
            "false", "true", "Say true where the cluster enforces NetworkPolicies and its network is trusted",
        )  # fmt: skip
    workers = plan["multi_node"]["workers"]
    first = _alike(plan, workers)
    gpu = pod_gpu({"node": {"gpus": first["gpus"]}, "backend": first["backend"]}, node_class)
    if gpu.claim:
        raise InfraError("the chart gives workers no GPUs by claims", HERE, gpu.claim["device_class_name"], "GPUs that pods ask for by a resource")
    amounts = {"memory": str(whole_pages(max(worker["min_ram_bytes"] for worker in workers)))}
    values = {
        "enabled": True,
        "kind": option["kind"] or "Auto",
        "workers": len(workers),
        "image": image_parts(image),
        "command": [option["command"] or BINARY],
        "args": first["args"],
        "gpu": {"resourceName": gpu.resource, "count": gpu.count} if gpu.count else {"resourceName": ""},
        "resources": {"requests": amounts, "limits": dict(amounts)},
        "affinity": affinity(gpu.affinity),
        "acceptUnauthenticated": True,
    }
    return {"multiNode": values}, [f"{len(workers)} workers beside the server, each a pod of its own. {' '.join(gpu.reasons)}"], list(gpu.warnings)


def _alike(plan, workers):
    """The first worker. Raises InfraError where another one is different."""
    first = workers[0]
    for worker in workers:
        if _kind(worker) != _kind(first):
            got = f"{first['node']} and {worker['node']}: {shown(_kind(first))} and {shown(_kind(worker))}"
            raise InfraError(
                "the workers differ, and their pods are made of one template", HERE, got, "workers with the same GPUs", "Plan with nodes that are alike"
            )
    if first["backend"] != plan["backend"]:
        raise InfraError("head and workers need different builds, and there is one image", HERE, f"{plan['backend']} and {first['backend']}")
    return first


def _kind(worker):
    return [gpu["name"] for gpu in worker["gpus"]], worker["args"]
