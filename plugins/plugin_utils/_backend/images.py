# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The container images that llama.cpp publishes: what is in each, from which build on.

Tags are server-<kind>-b<build>, kept as they are, and server-<kind>, which moves daily (.github/workflows/docker.yml, docs/docker.md).
A row holds from its build until the next row of the same kind. The rows of b11312 were read from that build's own files
(https://github.com/ggml-org/llama.cpp/tree/0c1e57098); of a build before its kind's first row nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass

REPOSITORY = "ghcr.io/ggml-org/llama.cpp"
BUILD = 11312
"""The build that a plan names unless told otherwise: the one whose memory rules it follows (_memory: LLAMA_CPP), of 2026-10-01."""

AMD64, ARM64, S390X = "amd64", "arm64", "s390x"
PLATFORM_OF_MACHINE = {"x86_64": AMD64, "amd64": AMD64, "aarch64": ARM64, "arm64": ARM64, "s390x": S390X}
"""What uname and Kubernetes call a machine, as images do."""

GFX_OF_ROCM_7_2 = (
    "gfx908", "gfx90a", "gfx942", "gfx1030", "gfx1100", "gfx1101", "gfx1102", "gfx1150", "gfx1151", "gfx1200", "gfx1201",
)  # fmt: skip
"""ROCM_DOCKER_ARCH of .devops/rocm.Dockerfile."""


@dataclass(frozen=True)
class Image:
    """C(cuda): the CUDA in it. C(gfx_targets): the AMD GPUs it has kernels for; empty where that isn't the question."""

    tag: str
    platforms: tuple[str, ...]
    since_build: int
    since: str
    source: str
    cuda: tuple[int, int] | None = None
    gfx_targets: tuple[str, ...] = ()


_WORKFLOW = "https://github.com/ggml-org/llama.cpp/blob/0c1e57098/.github/workflows/docker.yml"
_ROCM = "https://github.com/ggml-org/llama.cpp/blob/0c1e57098/.devops/rocm.Dockerfile"

IMAGES = {
    "cpu": (Image("server", (AMD64, ARM64, S390X), BUILD, "2026-10-01", _WORKFLOW),),
    "cuda12": (Image("server-cuda", (AMD64, ARM64), BUILD, "2026-10-01", _WORKFLOW, cuda=(12, 8)),),
    "cuda13": (Image("server-cuda13", (AMD64, ARM64), BUILD, "2026-10-01", _WORKFLOW, cuda=(13, 4)),),
    "rocm": (Image("server-rocm", (AMD64,), BUILD, "2026-10-01", _ROCM, gfx_targets=GFX_OF_ROCM_7_2),),
    "vulkan": (Image("server-vulkan", (AMD64, ARM64), BUILD, "2026-10-01", _WORKFLOW),),
    "sycl": (Image("server-intel", (AMD64,), BUILD, "2026-10-01", _WORKFLOW),),
}
"""By backend, the oldest first. There is no Metal in a container.

CUDA 13: 13.3 from 2026-06-06 (https://github.com/ggml-org/llama.cpp/pull/24228), 13.4 from 2026-09-21 (https://github.com/ggml-org/llama.cpp/pull/29207).
"""


def image_of(backend, build=BUILD):
    """The newest Image of C(backend) that is not newer than C(build), the first known where C(build) is older; None where there is none at all."""
    rows = IMAGES.get(backend, ())
    return next((row for row in reversed(rows) if row.since_build <= build), rows[0] if rows else None)


def platform_of(machine):
    """amd64, arm64 or s390x; amd64 where the machine is not known, None for one without images."""
    return AMD64 if machine is None else PLATFORM_OF_MACHINE.get(machine)
