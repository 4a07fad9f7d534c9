# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA GPUs from the labels of GPU Feature Discovery.

https://github.com/NVIDIA/k8s-device-plugin/blob/main/docs/gpu-feature-discovery/README.md; how values are made: internal/lm/resource.go there.
Memory is in MiB. gpu.count and gpu.memory are of whole GPUs, with the MIG strategy single of the instances. With the strategy mixed instances have
labels of their own, and gpu.replicas is 0 where no GPU is whole. The labels describe one product: the others of a mixed node are only counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._units import MIB
from . import gke
from .found import Found
from .known import BY_HAND, add_devices, model_of_label

VENDOR = "nvidia"
GPU = "nvidia.com/gpu"
MOST_MIB = 16 * 1024 * 1024
_MIG_COUNT = re.compile(r"(nvidia\.com/mig-([0-9a-z.]{2,32}))\.count", re.ASCII)
_MIG_PRODUCT = re.compile(r"(.+)-MIG-([0-9a-z.+]+)")
_PCI = re.compile(r"feature\.node\.kubernetes\.io/pci-(?:03[0-9a-f]{2}_)?10de(?:_[0-9a-f_]*)?\.present")
SHARED = "-SHARED"


@dataclass(frozen=True)
class Group:
    """GPUs or MIG instances that are alike: the resource by which pods ask for them, and what labels say."""

    resource: str
    product: str
    count: int
    memory_mib: int | None
    replicas: int
    mig_profile: str | None


def read(node, options):
    """Found for a NodeObject."""
    found = Found(driver=_driver(node))
    groups = _groups(node)
    if not groups:
        _without_labels(node, options, found)
    for group in groups:
        _add(group, node, options, found, whole_node=len(groups) == 1)
    return found


def _groups(node):
    groups = []
    product, count = node.label(f"{GPU}.product"), node.number(f"{GPU}.count")
    replicas = node.number(f"{GPU}.replicas")
    if product and count and replicas != 0:
        name, profile = _split(product)
        groups.append(Group(GPU, name, count, node.number(f"{GPU}.memory", most=MOST_MIB), replicas or 1, profile))
    for key in sorted(node.labels):
        match = _MIG_COUNT.fullmatch(key)
        if match and node.number(key):
            resource, profile = match.groups()
            name, named = _split(node.label(f"{resource}.product") or product or "NVIDIA")
            memory, replicas = node.number(f"{resource}.memory", most=MOST_MIB), node.number(f"{resource}.replicas")
            groups.append(Group(resource, name, node.number(key), memory, replicas or 1, (named or profile).replace(".me", "+me")))
    return groups


def _split(product):
    """('NVIDIA-H100-80GB-HBM3', '1g.10gb') of a product with both; None for a whole GPU."""
    product = product.removesuffix(SHARED)
    match = _MIG_PRODUCT.fullmatch(product)
    return match.groups() if match else (product, None)


def _add(group, node, options, found, whole_node):
    shared = f"{group.resource}.shared"
    advertised = node.count(group.resource, shared)
    usable = advertised // group.replicas
    what = f"{group.product}{f' MIG {group.mig_profile}' if group.mig_profile else ''}"
    if not usable:
        found.problem(
            "gpu_not_allocatable",
            f"labels tell of {group.count} {what}, but none can be given to a pod: {group.resource} is {advertised}",
            "See why the device plugin or the driver on the node doesn't work; labels can be older than the trouble.",
        )
    elif usable < group.count:
        found.problem(
            "gpu_unhealthy",
            f"{group.count - usable} of {group.count} {what} can't be given to pods",
            "See the events and the log of the device plugin on the node.",
        )
    elif usable > group.count and whole_node:
        found.problem(
            "gpu_mixed",
            f"the node has {usable} GPUs, and its labels describe {group.count} of them, {what}; the others are left out",
            f"{BY_HAND} ResourceSlices of the DRA driver tell of each.",
        )
    total = None if group.memory_mib is None else group.memory_mib * MIB
    model = model_of_label(VENDOR, group.product, None if group.mig_profile else total)
    add_devices(
        found, node, options, min(usable, group.count), group.product, model, total, group.replicas, group.mig_profile,
        vendor=VENDOR,
        architecture=_architecture(node),
        compute_capability=_capability(node),
        mig=group.mig_profile and {"profile": group.mig_profile, "gpu_instance_id": None, "compute_instance_id": None, "parent_uuid": None},
        virtual={"true": True, "false": False}.get(node.label("nvidia.com/vgpu.present")),
    )  # fmt: skip


def _without_labels(node, options, found):
    """Pods may be given GPUs, but GPU Feature Discovery doesn't say which."""
    count = node.count(GPU, f"{GPU}.shared")
    told = gke.read(node)
    if told is not None and count:
        add_devices(found, node, options, count // told.replicas, told.accelerator, told.model, None, told.replicas, told.mig_profile, vendor=VENDOR)
    elif count:
        fix = f"Run GPU Feature Discovery in the cluster. {BY_HAND}"
        found.problem("gpu_unlabelled", f"pods may be given {count} of {GPU}, but no label says what they are", fix)
    elif told is not None or node.label(f"{GPU}.product") or any(_PCI.fullmatch(key) for key in node.labels):
        fix = "Run NVIDIA's device plugin or the GPU Operator in the cluster, and see that the driver works on the node."
        found.problem("gpu_not_allocatable", f"the node has an NVIDIA GPU, but {GPU} is not among what it offers to pods", fix)


def _driver(node):
    version = node.label("nvidia.com/cuda.driver-version.full") or _joined(node, "nvidia.com/cuda.driver", "major", "minor", "rev")
    cuda = node.label("nvidia.com/cuda.runtime-version.full") or _joined(node, "nvidia.com/cuda.runtime", "major", "minor")
    if version is None and cuda is None:
        return None
    return {"vendor": VENDOR, "version": version, "cuda_max": two_numbers(cuda)}


def _joined(node, prefix, *names):
    parts = [node.label(f"{prefix}.{name}") for name in names]
    return None if parts[0] is None else ".".join(part for part in parts if part)


def two_numbers(text):
    """13.0 of 13.0.0, None for what is no version."""
    match = re.match(r"(\d{1,3})\.(\d{1,3})(?:\.|$)", text or "", re.ASCII)
    return match and f"{int(match[1])}.{int(match[2])}"


def _capability(node):
    major, minor = (node.number(f"{GPU}.compute.{name}") for name in ("major", "minor"))
    return None if major is None or minor is None else f"{major}.{minor}"


def _architecture(node):
    family = node.label(f"{GPU}.family")
    return None if family in (None, "undefined") else family.replace("-", " ").title()
