# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a backend takes on a GPU outside llama.cpp's buffers: the driver's context, kernels, workspaces of libraries, CUDA graphs.

llama.cpp prints it as "unaccounted" when it exits: total less free less its own buffers (https://github.com/ggml-org/llama.cpp/pull/15860).
Those figures, and those of what is free right after the device was opened, are what this is fitted to; tests/unit has them.
It is an estimate from above for a GPU that does nothing else. Not in it, for it depends on the model and the batch: the CUDA pool where a GPU
has no kernels for a quantization and a whole weight is dequantized for cuBLAS, and the Vulkan backend's prealloc_x, prealloc_y and prealloc_split_k.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from .._units import MIB, human

CONTEXT_BYTES = 32 * MIB
CONTEXT_BYTES_PER_MULTIPROCESSOR = 3 * MIB
"""The CUDA context grows with the multiprocessors: 115 MiB of a GTX 1080 (20), 117 of an RTX 3060 (28), 279 of an RTX 3090 (82),
561 of an RTX PRO 6000 (188), in llama.cpp's logs and in https://github.com/ggml-org/llama.cpp/pull/23604."""

MANY_MULTIPROCESSORS = 144
"""Of a GPU that isn't in the table: more than nearly every card."""

WORK_BYTES = 152 * MIB
"""Kernels loaded when first used, CUDA graphs, the pool: an RTX PRO 6000 took 147 to 151 MiB between its start and half an hour of work."""

HOPPER = (9, 0)
CUBLAS_WORKSPACE_BYTES = 4 * MIB
CUBLAS_WORKSPACE_BYTES_FROM_HOPPER = 32 * MIB
"""ggml-cuda/common.cuh (cublas_handle) gives cuBLAS a workspace of this size for each stream; one stream is used."""

ROCM_BYTES = 320 * MIB
"""253 MiB of an MI50 and 313 of a Radeon 780M at exit; 164 of an RX 9070 XT before any work. No report of a CDNA card was found."""

VULKAN_BYTES = 384 * MIB
"""An estimate: 8 MiB of a Pro V340 before any work and 450 of a Radeon 780M at exit, the latter with a desktop's share; drivers differ."""

SYCL_BYTES = 384 * MIB
"""254 MiB of an Arc Pro B70, 257 of a B580 and 288 of a Pro B50 before any work (llama.cpp's logs); the rest is an estimate for work."""

METAL_BYTES = 128 * MIB
"""0 of M3 Max, M4 Pro and M5 at exit in most logs, 495 in one: Metal counts only its own buffers; an estimate for pipelines and command buffers."""


def overhead(backend, gpu):
    """(bytes, why) of C(backend) on C(gpu), which has C(compute_capability) and C(units), each None where not known.

    C(backend): cuda, rocm, vulkan, sycl or metal.
    """
    if backend not in _OF:
        raise InfraError("no such backend of llama.cpp", "overhead", shown(backend), " or ".join(_OF), nearest(backend, _OF))
    return _OF[backend](gpu)


def _cuda(gpu):
    units = MANY_MULTIPROCESSORS if gpu.units is None else gpu.units
    context = CONTEXT_BYTES + units * CONTEXT_BYTES_PER_MULTIPROCESSOR
    workspace = CUBLAS_WORKSPACE_BYTES_FROM_HOPPER if _capability(gpu) >= HOPPER else CUBLAS_WORKSPACE_BYTES
    guess = " (taken for one that is not in the table)" if gpu.units is None else ""
    return context + workspace + WORK_BYTES, (
        f"CUDA context {human(context)} for {units} multiprocessors{guess}, cuBLAS workspace {human(workspace)}, kernels, graphs and pool {human(WORK_BYTES)}"
    )


def _capability(gpu):
    """As numbers; the larger workspace where it isn't known."""
    if gpu.compute_capability is None:
        return HOPPER
    return tuple(int(part) for part in gpu.compute_capability.split("."))


_OF = {
    "cuda": _cuda,
    "rocm": lambda gpu: (ROCM_BYTES, "HIP context, kernels and rocBLAS workspace, as measured of MI50 and Radeon 780M"),
    "vulkan": lambda gpu: (VULKAN_BYTES, "Vulkan device, pipelines and staging: an estimate"),
    "sycl": lambda gpu: (SYCL_BYTES, "Level Zero context and kernels, as measured of Arc B580, Pro B50 and Pro B70, and an estimate for work"),
    "metal": lambda gpu: (METAL_BYTES, "Metal pipelines and command buffers: an estimate"),
}
