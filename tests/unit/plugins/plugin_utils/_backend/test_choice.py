# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.choice import ImageWishes, choose
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain

GIB = 1024**3
REPOSITORY = "ghcr.io/ggml-org/llama.cpp"


def node(*models, cuda_max=None, machine="x86_64", backend=None):
    """A Node with the GPUs of the table of these ids."""
    made = node_from_plain({"gpus": [{"model": model} for model in models], "ram_bytes": 256 * GIB, "cuda_max": cuda_max}, backend=backend)
    return replace(made, machine=machine)


@pytest.mark.parametrize(
    "models, cuda_max, expected",
    [
        # CUDA 13 only where the driver has all of the image's 13.4 itself
        (["nvidia-rtx-4090"], "13.4", "cuda13"),
        (["nvidia-rtx-4090"], "13.0", "cuda12"),
        (["nvidia-rtx-4090"], "12.8", "cuda12"),
        (["nvidia-l4"], "13.0", "cuda12"),
        (["nvidia-h100-sxm5"] * 8, "13.5", "cuda13"),
        # error 804: a GeForce can't have a newer libcuda than its driver, a data-centre GPU can
        (["nvidia-rtx-4090"], "12.4", "vulkan"),
        (["nvidia-l4"], "12.4", "cuda12"),
        (["nvidia-l4", "nvidia-rtx-4090"], "12.4", "vulkan"),
        (["nvidia-l4"], "11.8", "vulkan"),
        # CUDA 13 dropped GPUs below 7.5
        (["nvidia-gtx-1080"], "13.5", "cuda12"),
        (["nvidia-rtx-4090", "nvidia-gtx-1080"], "13.5", "cuda12"),
        (["nvidia-t4"], "13.5", "cuda13"),
        (["nvidia-rtx-4090"], None, "cuda12"),
        (["amd-mi300x"], None, "rocm"),
        (["intel-arc-b580"], None, "sycl"),
        ([], None, "cpu"),
    ],
)
def test_the_best(models, cuda_max, expected):
    backend = choose(node(*models, cuda_max=cuda_max))
    assert backend.name == expected
    assert backend.reason
    tag = {"cpu": "server", "cuda12": "server-cuda", "sycl": "server-intel"}.get(expected, f"server-{expected}")
    assert backend.image == f"{REPOSITORY}:{tag}-b11312"


@pytest.mark.parametrize(
    "model, machine, expected", [("amd-mi300x", "aarch64", "vulkan"), ("intel-arc-b580", "arm64", "vulkan"), ("nvidia-gb10", "aarch64", "cuda12")]
)
def test_other_machines(model, machine, expected):
    backend = choose(node(model, cuda_max="13.0" if model.startswith("nvidia") else None, machine=machine))
    assert backend.name == expected and backend.image.endswith("-b11312")


def test_an_amd_gpu_that_the_image_has_no_kernels_for():
    made = node("amd-rx-6700-xt")
    assert made.gpus[0].gfx_target == "gfx1031"
    backend = choose(made)
    assert backend.name == "vulkan" and "gfx1031" in backend.reason
    with pytest.raises(InfraError, match="gfx1031"):
        choose(made, "rocm")
    own = choose(made, "rocm", ImageWishes(image="registry.example.com/rocm:mine"))
    assert (own.name, own.image) == ("rocm", "registry.example.com/rocm:mine")


def test_no_image():
    for made, why in (
        (node_from_plain({"gpus": [{"model": "apple-m4-max"}], "ram_bytes": 128 * GIB}), "Apple"),
        (node_from_plain({"gpus": [{"model": "nvidia-jetson-agx-orin-64gb"}]}), "Jetson"),
        (node(machine="riscv64"), "riscv64"),
    ):
        backend = choose(made)
        assert backend.image is None and why in backend.no_image
        assert choose(made, None, ImageWishes(image="mine")).image == "mine"


@pytest.mark.parametrize(
    "models, cuda_max, asked, why",
    [
        (["nvidia-gtx-1080"], "13.5", "cuda13", "no kernels for compute capability 6.1"),
        (["nvidia-rtx-4090"], "12.4", "cuda13", "supports CUDA 12.4 only"),
        (["nvidia-rtx-4090"], "11.8", "cuda12", "supports CUDA 11.8 only"),
        (["nvidia-rtx-4090"], None, "rocm", "rocm has no GPU to drive here"),
        (["amd-mi300x"], None, "cuda12", "cuda12 has no GPU to drive here"),
        ([], None, "vulkan", "vulkan has no GPU to drive here"),
        (["intel-arc-b580"], None, "metal", "metal has no GPU to drive here"),
    ],
)
def test_a_backend_that_can_not_drive_the_gpus_is_one_clear_error(models, cuda_max, asked, why):
    with pytest.raises(InfraError, match=why):
        choose(node(*models, cuda_max=cuda_max, backend=asked), asked)


def test_a_backend_that_may_fail_is_a_warning():
    (warning,) = choose(node("nvidia-rtx-4090", cuda_max="12.4"), "cuda12").warnings
    assert "error 804" in warning and "disable-cuda-compat-lib-hook" in warning
    (warning,) = choose(node("nvidia-rtx-4090", cuda_max="13.0"), "cuda13").warnings
    assert "13.4" in warning
    assert choose(node("nvidia-l4", cuda_max="13.0"), "cuda13").warnings == ()
    assert choose(node("nvidia-rtx-4090", cuda_max="13.0"), "cuda13", ImageWishes(image="own")).warnings == ()


@pytest.mark.parametrize("asked, device", [("vulkan", "Vulkan0"), ("cuda12", "CUDA0"), ("rocm", "ROCm0"), ("sycl", "SYCL0")])
def test_devices_are_named_by_the_backend(asked, device):
    mixed = node("nvidia-rtx-4090", "amd-rx-7900-xtx", "intel-arc-b580", backend=asked)
    assert mixed.gpus[0].device == device
    assert len(mixed.gpus) == (3 if asked == "vulkan" else 1)


def test_a_mirror_and_a_build():
    made = node("nvidia-l4", cuda_max="13.0")
    assert choose(made, None, ImageWishes(repository="registry.example.com:5000/llama.cpp")).image == "registry.example.com:5000/llama.cpp:server-cuda-b11312"
    assert choose(made, None, ImageWishes(build=11515)).image == f"{REPOSITORY}:server-cuda-b11515"
