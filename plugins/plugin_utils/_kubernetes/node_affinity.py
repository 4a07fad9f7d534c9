# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The labels by which a pod is kept to the nodes that its plan was made for: matchExpressions of a node affinity."""

from __future__ import annotations

import re

ARCH = "kubernetes.io/arch"
CUDA = ("nvidia.com/cuda.runtime-version.major", "nvidia.com/cuda.runtime.major")
"""The newest CUDA of the driver: GPU Feature Discovery's label, and the one it had before."""

_KEYS = {
    "nvidia": (
        "nvidia.com/gpu.product", "nvidia.com/gpu.memory", "nvidia.com/gpu.replicas",
        "cloud.google.com/gke-accelerator", "cloud.google.com/gke-gpu-partition-size",
    ),
    "amd": ("amd.com/gpu.product-name", "amd.com/gpu.device-id", "beta.amd.com/gpu.product-name", "beta.amd.com/gpu.device-id"),
    "intel": ("gpu.intel.com/product",),
}  # fmt: skip
_EXISTS = {
    "amd": re.compile(r"beta\.amd\.com/gpu\.device-id\.[0-9a-fA-F]{4}"),
    "intel": re.compile(r"gpu\.intel\.com/device-id\.03[0-9a-f]{2}-[0-9a-f]{4}\.present"),
}
"""Labels that have the value in their name."""


def of_nodes(nodes, vendor, resource=None):
    """Expressions that hold on each of C(nodes), NodeObjects of one class. C(resource): of which their pods ask."""
    return [_expression(key, nodes) for key in (*_keys(vendor, resource), ARCH) if all(node.label(key) for node in nodes)] + [
        {"key": key, "operator": "Exists"}
        for key in sorted(nodes[0].labels)
        if vendor in _EXISTS and _EXISTS[vendor].fullmatch(key) and all(node.label(key) for node in nodes)
    ]


def cuda_label(nodes):
    """The label that tells the driver's CUDA on each of C(nodes), None for none."""
    return next((key for key in CUDA if all(node.label(key) for node in nodes)), None)


def at_least_cuda(label, major):
    """The expression for drivers that run programs of CUDA C(major)."""
    return {"key": label, "operator": "Gt", "values": [str(major - 1)]}


def _keys(vendor, resource):
    if resource and resource.startswith("nvidia.com/mig-"):
        # The labels of whole GPUs are of those that are not divided.
        return f"{resource}.product", f"{resource}.memory"
    return _KEYS.get(vendor, ())


def _expression(key, nodes):
    return {"key": key, "operator": "In", "values": sorted({node.label(key) for node in nodes})}
