# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a pod asks for the GPUs of a plan, and on which nodes it may be.

From a class of nodes (node_classes()) that is what the cluster itself says. Without one it is made from the names of the plan's GPUs, as the vendors'
labellers would write them: such values are for any cluster whose nodes are labelled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..._backend.images import AMD64, ARM64
from ..._hardware.gpu_models import GPU_MODELS
from ..._kubernetes.node_affinity import ARCH, CUDA, at_least_cuda
from ..._kubernetes.offers import mig_resource
from ..._units import MIB
from ..gpu_access import vendor_of

WHERE = "helm_values"
RESOURCES = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "intel": "gpu.intel.com/xe"}
CUDA_MAJOR = {"cuda12": 12, "cuda13": 13}
TELLS = 0.98
"""What a driver reports of a card's memory differs by a percent between its versions."""

_MIG = re.compile(r"(.+) MIG ([0-9a-z.+]+)")
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class PodGpu:
    """C(resource): None with a C(claim) or without GPUs. C(affinity): matchExpressions that a node has to fulfil."""

    count: int
    resource: str | None = None
    claim: dict | None = None
    affinity: list = field(default_factory=list)
    tolerations: list = field(default_factory=list)
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def pod_gpu(plan, node_class=None, resource_name=None):
    """The PodGpu of a plan. C(node_class): of node_classes(). C(resource_name): what the user says instead."""
    gpus, backend = plan["node"]["gpus"], plan["backend"]
    if backend == "metal":
        raise InfraError("no pod has an Apple GPU", WHERE, got=f"a plan for {backend}")
    cuda = _cuda(backend, node_class)
    if not gpus:
        return PodGpu(0, affinity=_affinity(node_class, []), reasons=("No GPU: the plan uses none, so the pod asks for none.",))
    names = {gpu["name"] for gpu in gpus}
    if len(names) > 1:
        raise InfraError(
            "a pod can't ask for GPUs of two kinds by one resource", WHERE, " and ".join(sorted(names)), "GPUs that are alike",
            "Plan for one kind with devices, or for a class of nodes",
        )  # fmt: skip
    vendor = vendor_of(gpus[0], backend, WHERE)
    if node_class is not None:
        return _of_class(len(gpus), node_class, resource_name, cuda, vendor)
    return _of_names(gpus, vendor, resource_name, cuda)


def _of_class(count, node_class, resource_name, cuda, vendor):
    offered = node_class["gpu"]
    if offered is None or count > offered["most_per_pod"]:
        most = 0 if offered is None else offered["most_per_pod"]
        raise InfraError("the plan is for more GPUs than a pod can have here", f"{WHERE}.node_class", shown(node_class["name"]), f"{count}, and it has {most}")
    resource = resource_name or offered["resource_name"]
    claim = None if resource_name else offered["claim"]
    what = f"{count} of {resource}" if resource else f"a claim for {count} of {claim['device_class_name']}"
    reasons = [f"The pod asks for {what}, and only comes to nodes of the class {node_class['name']}: {_some(node_class['nodes'])}."]
    warnings = []
    if offered["pods_per_gpu"] > 1:
        warnings.append(f"{offered['pods_per_gpu']} pods share each GPU, and nothing keeps the others to their share of its memory.")
    return PodGpu(count, resource, claim, _affinity(node_class, cuda), tolerations(vendor, resource), tuple(reasons), tuple(warnings))


def _of_names(gpus, vendor, resource_name, cuda):
    count, gpu = len(gpus), gpus[0]
    instance = _MIG.fullmatch(gpu["name"])
    whole, profile = instance.groups() if instance else (gpu["name"], None)
    if profile:
        mig = mig_resource(profile)
        resource = resource_name or mig
        affinity = [{"key": f"{mig}.count", "operator": "Gt", "values": ["0"]}, _product(vendor, whole)]
    else:
        resource = resource_name or RESOURCES[vendor]
        affinity = [_product(vendor, whole)]
        if vendor == "nvidia" and not _unified(whole):
            least = int(gpu["memory_total_bytes"] * TELLS) // MIB
            affinity.append({"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": [str(least)]})
    warnings = []
    if vendor == "intel" and not resource_name:
        warnings.append("Intel's GPU plugin offers gpu.intel.com/xe or gpu.intel.com/i915, by the driver of the node: say which with gpu_resource.")
    reasons = [f"The pod asks for {count} of {resource}, and only comes to nodes whose labels name {gpu['name']}."]
    return PodGpu(count, resource, None, [*affinity, *cuda], tolerations(vendor, resource), tuple(reasons), tuple(warnings))


def tolerations(vendor, resource):
    """Nodes with GPUs are often tainted with the name of the resource, so that only pods that need one come to them: those with MIG instances too
    with that of whole GPUs."""
    return [{"key": resource if vendor == "intel" and resource else RESOURCES[vendor], "operator": "Exists", "effect": "NoSchedule"}]


def _affinity(node_class, cuda):
    return [*(node_class["node_affinity"] if node_class else [{"key": ARCH, "operator": "In", "values": [AMD64, ARM64]}]), *cuda]


def _cuda(backend, node_class):
    """The expression for drivers that run the image, where labels tell."""
    label = CUDA[0] if node_class is None else node_class["cuda_label"]
    return [at_least_cuda(label, CUDA_MAJOR[backend])] if backend in CUDA_MAJOR and label else []


def _product(vendor, name):
    """The label that names a GPU, with each way in which a labeller may have written it."""
    if vendor == "nvidia":
        names = _names(vendor, name)
        return {"key": "nvidia.com/gpu.product", "operator": "In", "values": sorted({_NOT_IN_LABELS.sub("-", each) for each in names})}
    if vendor == "amd":
        names = {_NOT_IN_LABELS.sub("_", each) for each in _names(vendor, name)}
        return {"key": "amd.com/gpu.product-name", "operator": "In", "values": sorted({*names, *(f"{each}_OAM" for each in names if "Instinct" in each)})}
    short = re.sub(r"\((?:R|TM)\)|Intel\b|\bGraphics\b", "", name)
    return {"key": "gpu.intel.com/product", "operator": "In", "values": ["_".join(short.split())]}


def _names(vendor, name):
    """The name and what the table of GPUs knows as the same."""
    model = next((model for model in GPU_MODELS if model.vendor == vendor and name in (model.name, *model.aliases)), None)
    return {name, model.name, *model.aliases} if model else {name}


def _unified(name):
    return any(model.unified_memory for model in GPU_MODELS if name in (model.name, *model.aliases))


def _some(nodes):
    return ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
