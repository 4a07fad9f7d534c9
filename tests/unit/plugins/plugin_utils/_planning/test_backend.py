# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the chosen backend does to a plan."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.overhead import overhead
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
MODEL = "Llama-3.1-8B-Q4_K_M.gguf"


def planned(node, **wishes):
    return plan(truth.plain(MODEL), node, wishes)


def described(*models, **more):
    return {"gpus": [{"model": model} for model in models], "ram_bytes": 64 * GIB, **more}


def test_vulkan_drives_mixed_gpus_with_more_in_reserve_and_says_so():
    node = described("nvidia-rtx-3060", "amd-rx-7900-xtx")
    own, all_of_them = planned(node), planned(node, backend="vulkan")
    assert [device["name"] for device in own["memory"]["devices"]] == ["ROCm0"]
    assert any("backend=vulkan" in warning for warning in own["warnings"])
    assert [device["name"] for device in all_of_them["memory"]["devices"]] == ["Vulkan0", "Vulkan1"]
    assert {device["reserve_bytes"] for device in all_of_them["memory"]["devices"]} == {3 * GIB // 2}
    assert all_of_them["server"]["env"] == {}
    assert any("--list-devices" in warning for warning in all_of_them["warnings"])
    assert planned(node, backend="vulkan", reserve_bytes=GIB)["memory"]["devices"][0]["reserve_bytes"] == GIB


def test_a_fallback_to_vulkan_uses_all_gpus():
    made = planned(described("nvidia-rtx-3060", "nvidia-rtx-4090", cuda_max="12.2"))
    assert (made["backend"], [gpu["device"] for gpu in made["node"]["gpus"]]) == ("vulkan", ["Vulkan0", "Vulkan1"])


def test_mig_instances_one_for_cuda_none_for_vulkan(facts):
    node = facts(10, 20, name="NVIDIA A100-SXM4-80GB MIG 1g.10gb", mig={"profile": "1g.10gb"})
    made = planned(node, backend="cuda12")
    assert [gpu["uuid"] for gpu in made["node"]["gpus"]] == ["GPU-1"]
    assert any("one MIG instance" in warning for warning in made["warnings"])
    with pytest.raises(InfraError, match="vulkan has no GPU to drive here"):
        planned(node, backend="vulkan")
    old = planned({**node, "driver": {"cuda_max": "11.8"}})
    assert (old["backend"], old["node"]["gpus"]) == ("cpu", [])


@pytest.mark.parametrize("backend", ["vulkan", "cuda12"])
def test_the_overhead_is_that_of_the_backend(backend):
    node = described("nvidia-rtx-3060")
    (device,) = planned(node, backend=backend)["memory"]["devices"]
    (gpu,) = node_from_plain(node).gpus
    assert device["overhead_bytes"] == overhead(backend.removesuffix("12"), gpu)[0]


def test_large_buffers_are_cut_for_vulkan():
    node, large = described("nvidia-rtx-3090"), {"ubatch_size": 4096, "batch_size": 4096, "ctx_size": 32768, "flash_attn": "off"}
    cuda, vulkan = (planned(node, backend=backend, **large)["memory"]["devices"][0] for backend in ("cuda12", "vulkan"))
    assert cuda["compute_bytes"] > GIB
    assert vulkan["compute_bytes"] > cuda["compute_bytes"]


def test_what_was_asked_for_is_in_the_reasons_and_the_image():
    made = planned(described("nvidia-l4", cuda_max="13.4"), backend="cuda12", image_repository="mirror.example.com/llama.cpp", image_build=11515)
    assert made["image"] == "mirror.example.com/llama.cpp:server-cuda-b11515"
    assert "Backend cuda12: as asked." in made["reasons"]
    assert made["llama_cpp"]["image_build"] == 11515


def test_the_least_build_and_why():
    made = planned(described("nvidia-l4"))
    told = made["llama_cpp"]
    assert told["image_build"] == told["build"] >= told["minimum_build"] == told["minimum_build_reasons"][0]["build"]
    assert any(f"b{told['minimum_build']} or newer" in reason for reason in made["reasons"])
    assert not any("holes" in warning for warning in made["warnings"])
    old = planned(described("nvidia-l4"), image_build=told["minimum_build"] - 1)
    assert any("holes" in warning for warning in old["warnings"])


def test_an_image_of_ones_own():
    made = planned(described("nvidia-l4"), image="registry.example.com/llm@sha256:" + "0" * 64)
    assert made["image"] == "registry.example.com/llm@sha256:" + "0" * 64
    assert made["llama_cpp"]["image_build"] is None


@pytest.mark.parametrize(
    "wishes, why",
    [
        ({"backend": "cuda"}, "not one of the choices"),
        ({"backend": "rocm"}, "rocm has no GPU to drive here"),
        ({"image": "a b"}, "not the name of an image"),
        ({"image": "x; rm -rf /"}, "not the name of an image"),
        ({"image": "x", "image_build": 11312}, "given whole, and in parts"),
        ({"image_build": 0}, "too small"),
        ({"backend": "cpu", "allow_cpu": False}, "exclude each other"),
    ],
)
def test_malformed_wishes(wishes, why):
    with pytest.raises(InfraError, match=why):
        planned(described("nvidia-l4"), **wishes)


def test_the_machine_counts(facts):
    node = facts(24, vendor="amd", name="AMD Radeon RX 7900 XTX")
    assert planned({**node, "platform": {"machine": "x86_64"}})["backend"] == "rocm"
    arm = planned({**node, "platform": {"machine": "aarch64"}})
    assert (arm["backend"], arm["image"].rpartition(":")[2]) == ("vulkan", "server-vulkan-b11312")
    assert any("aarch64" in reason for reason in arm["reasons"])
    for platform in ("x86_64", {"machine": 64}):
        with pytest.raises(InfraError, match=r"node\.platform"):
            planned({**node, "platform": platform})


def test_the_cpu_alone_leaves_nobody_out():
    made = planned(described("nvidia-l4", "amd-rx-7900-xtx"), backend="cpu")
    assert (made["backend"], made["node"]["gpus"], made["warnings"]) == ("cpu", [], [])
    assert made["image"].endswith(":server-b11312")
