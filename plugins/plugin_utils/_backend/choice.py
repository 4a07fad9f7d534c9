# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The backend for a node's GPUs, the image that holds it, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from . import nvidia
from .images import BUILD, REPOSITORY, image_of, platform_of
from .kinds import KINDS

OTHERS = {"amd": ("rocm", "AMD GPUs"), "intel": ("sycl", "Intel GPUs"), "apple": ("metal", "an Apple GPU")}
WHERE = "llama_plan.backend"


@dataclass(frozen=True)
class Backend:
    """C(image) is None where no container image holds it: C(no_image) says why. C(build) of the image, None where it is not the table's."""

    name: str
    image: str | None
    reason: str
    no_image: str | None = None
    build: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def kind(self):
        return KINDS[self.name]

    def kind_of(self, _gpu):
        """The Kind that drives a GPU of the plan."""
        return self.kind


@dataclass(frozen=True)
class ImageWishes:
    """C(image): used as it is. Else C(repository), a mirror of llama.cpp's, and C(build), each None for the table's."""

    image: str | None = None
    repository: str | None = None
    build: int | None = None


def choose(node, asked=None, wishes=ImageWishes()):
    """The Backend for a node, an object with C(gpus), C(cuda_max) and C(machine), the latter as uname or Kubernetes say it.

    C(asked): the backend that the user wants, None for the best. Raises InfraError where that can't drive the node's GPUs.
    """
    build = wishes.build or BUILD
    if asked is None:
        name, reason = _best(node, build)
        warnings = ()
    else:
        name, reason = asked, "as asked"
        warnings = _check(node, asked, wishes, build)
    image, no_image = _image(node, name, wishes, build)
    return Backend(name, image, reason, no_image, None if wishes.image or image is None else build, warnings)


def _best(node, build):
    if not node.gpus:
        return "cpu", "no GPU to use"
    vendor = node.gpus[0].vendor
    if vendor == "nvidia":
        return nvidia.choose_for_nvidia(node.gpus, node.cuda_max, {name: image_of(name, build).cuda for name in nvidia.OLDEST_FOR_CUDA})
    name, reason = OTHERS[vendor]
    lacking = _lacking(node, name, build)
    return ("vulkan", f"{reason}, but {lacking}") if lacking else (name, reason)


def _check(node, asked, wishes, build):
    """Warnings of a backend that was asked for."""
    vendors = KINDS[asked].vendors
    if asked != "cpu" and not node.gpus:
        there = ", ".join((*node.ignored_gpus, *node.unusable_gpus)) or "no GPU"
        raise InfraError(f"{asked} has no GPU to drive here", WHERE, got=f"a node with {there}", expected=f"GPUs of {' or '.join(vendors)}")
    lacking = None if wishes.image else _lacking(node, asked, build)
    if lacking:
        raise InfraError(f"{asked} can't drive this node's GPUs: {lacking}", WHERE, fix="Leave backend out, say backend=vulkan, or name an image that can")
    if asked not in nvidia.OLDEST_FOR_CUDA:
        return ()
    refused, warning = nvidia.objection(asked, node.gpus, node.cuda_max, None if wishes.image else image_of(asked, build).cuda)
    if refused:
        raise InfraError(f"{asked} can't drive this node's GPUs: {refused}", WHERE, fix="Leave backend out, and the best is chosen")
    return (warning,) if warning else ()


def _lacking(node, name, build):
    """What the image of a GPU's backend lacks for the node, None for nothing."""
    image = image_of(name, build)
    if image is None or name == "cpu":
        return None
    if platform_of(node.machine) not in image.platforms:
        return f"there is no image {image.tag} for {node.machine}"
    missing = sorted({gpu.gfx_target for gpu in node.gpus if image.gfx_targets and gpu.gfx_target and gpu.gfx_target not in image.gfx_targets})
    return f"the image {image.tag} has no kernels for {', '.join(missing)}" if missing else None


def _image(node, name, wishes, build):
    """(reference, None) or (None, why there is none)."""
    if wishes.image:
        return wishes.image, None
    image = image_of(name, build)
    if image is None or any(gpu.vendor == "apple" for gpu in node.gpus):
        return None, "no container has an Apple GPU"
    if nvidia.is_jetson(node.gpus):
        return None, "llama.cpp's images are not built for this Jetson; name one that is with image"
    if platform_of(node.machine) not in image.platforms:
        return None, f"there is no image {image.tag} for {node.machine}"
    return f"{wishes.repository or REPOSITORY}:{image.tag}-b{build}", None
