# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which build of llama.cpp runs on the node's GPUs, and the image that holds it.

Tags as llama.cpp publishes them (docs/docker.md). CUDA 13 dropped GPUs below compute capability 7.5.
"""

from __future__ import annotations

from dataclasses import dataclass

REPOSITORY = "ghcr.io/ggml-org/llama.cpp"
TAGS = {"cpu": "server", "cuda12": "server-cuda", "cuda13": "server-cuda13", "rocm": "server-rocm", "sycl": "server-intel"}
OTHER_VENDORS = {"amd": ("rocm", "AMD GPUs"), "intel": ("sycl", "Intel GPUs"), "apple": ("metal", "an Apple GPU")}
OLDEST_FOR_CUDA_13 = (7, 5)


@dataclass(frozen=True)
class Backend:
    """C(image) is None for a build that no container can hold: there is no Metal in one."""

    name: str
    image: str | None
    reason: str


def backend_of(node):
    """The Backend for a Node, with the reason for it."""
    name, reason = _choose(node)
    return Backend(name, f"{REPOSITORY}:{TAGS[name]}" if name in TAGS else None, reason)


def _choose(node):
    if not node.gpus:
        return "cpu", "no GPU to use"
    if node.gpus[0].vendor in OTHER_VENDORS:
        return OTHER_VENDORS[node.gpus[0].vendor]
    if node.cuda_max is None or _version(node.cuda_max) < (13, 0):
        return "cuda12", f"the driver supports CUDA {node.cuda_max}" if node.cuda_max else "the driver's CUDA version is not known"
    oldest = min((_version(gpu.compute_capability) for gpu in node.gpus if gpu.compute_capability), default=OLDEST_FOR_CUDA_13)
    if oldest < OLDEST_FOR_CUDA_13:
        return "cuda12", f"CUDA 13 has no support for compute capability {oldest[0]}.{oldest[1]}"
    return "cuda13", f"the driver supports CUDA {node.cuda_max}"


def _version(text):
    return tuple(int(part) for part in str(text).split(".") if part.isdecimal())
