# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The backends of llama.cpp that are planned for."""

from __future__ import annotations

from dataclasses import dataclass

from .._units import GIB, MIB

UNSURE_BYTES = 512 * MIB
"""Left free on each GPU beside the planner's reserve, for Vulkan: its prealloc_x, prealloc_y and prealloc_split_k (ggml-vulkan.cpp) grow
with the batch, and which operations it leaves to the CPU depends on the driver. The memory rules describe devices that answer like CUDA's."""


@dataclass(frozen=True)
class Kind:
    """C(device): what llama.cpp calls its devices, with a number behind. C(vendors): whose GPUs it drives.

    C(overhead): its name in _hardware/overhead.py. C(unsure_bytes): left free on each GPU beside the reserve unless told otherwise.
    C(chunk_bytes): the largest buffer it hands out for results, None for no limit; a larger one is cut in chunks.
    """

    device: str | None
    vendors: tuple[str, ...]
    overhead: str | None
    unsure_bytes: int = 0
    chunk_bytes: int | None = None


KINDS = {
    "cuda13": Kind("CUDA", ("nvidia",), "cuda"),
    "cuda12": Kind("CUDA", ("nvidia",), "cuda"),
    "rocm": Kind("ROCm", ("amd",), "rocm"),
    "vulkan": Kind("Vulkan", ("nvidia", "amd", "intel", "apple"), "vulkan", UNSURE_BYTES, GIB),
    "sycl": Kind("SYCL", ("intel",), "sycl"),
    "metal": Kind("MTL", ("apple",), "metal"),
    "cpu": Kind(None, (), None),
}
"""Names of devices: GGML_CUDA_NAME (ggml-cuda.h, also of HIP), GGML_VK_NAME (ggml-vulkan.h), GGML_SYCL_NAME (ggml-sycl.h), MTL (ggml-metal-device.m).
Chunks of Vulkan: suballocation_block_size (ggml-vulkan.cpp), 1 GiB unless GGML_VK_SUBALLOCATION_BLOCK_SIZE says otherwise."""

VENDORS = ("nvidia", "amd", "intel", "apple")
OWN = {"nvidia": "cuda12", "amd": "rocm", "intel": "sycl", "apple": "metal"}
"""A vendor's own backend, for what does not depend on the version."""
