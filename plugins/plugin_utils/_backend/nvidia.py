# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CUDA 13, CUDA 12 or Vulkan for NVIDIA GPUs.

An image holds a CUDA and, for drivers that are older, the libcuda of that CUDA; the NVIDIA Container Toolkit puts the newer of both in front.
A newer libcuda on an older driver (forward compatibility) works on data-centre GPUs only. On others CUDA fails with error 804, and llama.cpp goes on
with the CPU alone (https://github.com/ggml-org/llama.cpp/issues/22561). An older CUDA on a newer driver always works.
Without that libcuda a driver of the same major version would do, but not for kernels that it has to compile first, and most of llama.cpp's are of that kind:
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html.
"""

from __future__ import annotations

from .._hardware.nvidia_data_centre import DATA_CENTRE

OLDEST_FOR_CUDA = {"cuda12": (5, 0), "cuda13": (7, 5)}
"""The compute capabilities in ggml-cuda/CMakeLists.txt; CUDA 13 has no compiler for those below 7.5."""

OLDEST_FOR_FORWARD_COMPATIBILITY = (12, 0)
"""The CUDA of driver 525, the oldest with which the libcuda of CUDA 12 and 13 images works."""

JETSON_CAPABILITIES = ((5, 3), (6, 2), (7, 2), (8, 7))
"""Jetson up to Orin: their CUDA is not that of servers, for which the images are built."""

_DATA_CENTRE_IDS = frozenset(model.id for model in DATA_CENTRE)


def capability(gpu):
    """As numbers, None where not known."""
    return None if gpu.compute_capability is None else version(gpu.compute_capability)


def version(text):
    return tuple(int(part) for part in text.split("."))


def shown(numbers):
    return ".".join(str(number) for number in numbers)


def is_jetson(gpus):
    return any(capability(gpu) in JETSON_CAPABILITIES for gpu in gpus)


def too_old(gpus, backend):
    """The lowest compute capability where C(backend) has no kernels for it, else None."""
    lowest = min((known for known in map(capability, gpus) if known is not None), default=None)
    return lowest if lowest is not None and lowest < OLDEST_FOR_CUDA[backend] else None


def forward_compatible(gpus, cuda_max):
    return cuda_max >= OLDEST_FOR_FORWARD_COMPATIBILITY and all(gpu.model in _DATA_CENTRE_IDS for gpu in gpus)


def choose_for_nvidia(gpus, cuda_max, cuda_of):
    """(backend, reason). C(cuda_max): the newest CUDA the driver runs, as text or None; C(cuda_of): {backend: the CUDA in its image}."""
    old = too_old(gpus, "cuda12")
    if old:
        return "vulkan", f"llama.cpp's CUDA has no kernels for compute capability {shown(old)}"
    old = too_old(gpus, "cuda13")
    if cuda_max is None:
        return "cuda12", "the driver's CUDA version is not known, and CUDA 12 runs on more drivers"
    driver = version(cuda_max)
    told = f"the driver supports CUDA {cuda_max}"
    if not old and driver >= cuda_of["cuda13"]:
        return "cuda13", told
    if driver >= cuda_of["cuda12"]:
        if old:
            return "cuda12", f"CUDA 13 has no support for compute capability {shown(old)}"
        newer = f", and the image of cuda13 has {shown(cuda_of['cuda13'])}" if driver >= (13, 0) else ""
        return "cuda12", f"{told}{newer}"
    if forward_compatible(gpus, driver):
        return "cuda12", f"{told}, and the image's {shown(cuda_of['cuda12'])} runs on it by the forward compatibility of data-centre GPUs"
    return "vulkan", (
        f"{told}, older than the {shown(cuda_of['cuda12'])} of the image for CUDA 12, which would fail with error 804; driver 570 or newer would allow cuda12"
    )


def objection(backend, gpus, cuda_max, image_cuda):
    """(why it can't, None), (None, what may go wrong) or (None, None) for a CUDA C(backend) that was asked for.

    C(image_cuda): the CUDA of its image, None for an image of the user's own.
    """
    old = too_old(gpus, backend)
    if old:
        return f"it has no kernels for compute capability {shown(old)}", None
    if cuda_max is None:
        return None, None
    driver = version(cuda_max)
    major = (int(backend.removeprefix("cuda")), 0)
    if forward_compatible(gpus, driver) or driver >= (image_cuda or major):
        return None, None
    if driver < major:
        return f"the driver supports CUDA {cuda_max} only", None
    return None, (
        f"The image has CUDA {shown(image_cuda)}, the driver supports {cuda_max}: in a container CUDA can fail with error 804, and the CPU alone would work. "
        "Update the driver, or set disable-cuda-compat-lib-hook in the configuration of the NVIDIA Container Toolkit."
    )
