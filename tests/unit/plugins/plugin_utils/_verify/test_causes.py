# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cause of a fall-back, from the log and from the facts of the node."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.differences import differences
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._verify.example import FACTS, MIB, TINY, TWO_L4, said


def cause(log, facts=None, plan=None):
    plan = plan or TWO_L4
    found = differences(plan, said(plan, log), {"facts": facts})["differences"]
    return next(row["cause"] for row in found if row["what"] == "layers on GPUs")


def facts(**changes):
    """FACTS with parts of C(driver), C(platform) and the rest changed."""
    made = copy.deepcopy(FACTS)
    for name, value in changes.items():
        if isinstance(value, dict):
            made[name].update(value)
        else:
            made[name] = value
    return made


def test_the_driver_and_the_image():
    assert cause("cuda_driver_mismatch", FACTS) == (
        "the CUDA libraries of the server's build don't go with the node's driver: forward compatibility was attempted on non supported HW; "
        "the node's driver 550.54.15 runs CUDA up to 12.4, the image is ghcr.io/ggml-org/llama.cpp:server-cuda-b11312"
    )


LIBRARY = (
    "the server loaded the backend CPU but not CUDA: it is a build without it, or the driver's libraries are not there for it, "
    "as in a container that was not given the GPU"
)


@pytest.mark.parametrize("given, more", [
    (None, ""),
    (FACTS, ""),
    (facts(platform={"cdi": {"specs": []}}), "; the node has no CDI specification of its GPUs"),
    (facts(platform={"cdi": {"specs": []}, "engines": []}), ""),
    (facts(platform={"cdi": {"specs": [{"path": "/etc/cdi/n.yaml", "kind": "nvidia.com/gpu", "stale": True, "why": "driver 535"}]}}),
     "; its CDI specification /etc/cdi/n.yaml is stale: driver 535"),
    (facts(driver={"mismatch": True, "library_version": "560.1"}), "; the node's driver is 550.54.15 and its libraries are 560.1: reboot it"),
    (facts(driver={"uvm": False}), "; the node has no /dev/nvidia-uvm, which CUDA needs"),
    (facts(devices=[], problems=[{"code": "gpu_lost", "message": "the GPU fell off the bus"}]), "; the node itself finds no GPU: the GPU fell off the bus"),
])  # fmt: skip
def test_a_backend_that_is_not_there(given, more):
    assert cause("cuda_backend_not_loaded", given) == LIBRARY + more


def test_a_backend_that_sees_nothing():
    assert cause("cuda_no_device") == "CUDA sees no GPU: no CUDA-capable device is detected"
    assert cause("vulkan_hidden", plan=TINY).startswith("the backend Vulkan is there but sees no GPU: it is hidden from the server")


def test_a_gpu_that_is_missing_among_others():
    plan = copy.deepcopy(TWO_L4)
    plan["node"]["gpus"].append({"device": "CUDA2", "uuid": "GPU-cc", "vendor": "nvidia"})
    plan["placement"]["gpu_layers"] = 40
    assert cause("cuda_two_gpus", plan=plan) == "the server sees CUDA0, CUDA1 but not CUDA2"


def test_others_hold_the_memory():
    plan = copy.deepcopy(TWO_L4)
    plan["placement"]["gpu_layers"] = 40
    assert (
        cause("cuda_two_gpus", plan=plan)
        == "when the server started, 13.8 GiB were free on CUDA1, and the plan counted on 21.9 GiB: other programs hold the rest"
    )


@pytest.mark.parametrize("log, said", [
    ("vulkan_not_used", "the server sees Vulkan0 but was started without it: its arguments are not the plan's"),
    ("vulkan_no_layers", "the server was started with other arguments than the plan's"),
])  # fmt: skip
def test_other_arguments(log, said):
    assert cause(log, plan=TINY) == said


def test_the_cause_stands_in_one_message_only():
    messages = [row["message"] for row in differences(TINY, said(TINY, "vulkan_not_used"), {})["differences"]]
    assert sum("started without it" in message for message in messages) == 1


def test_other_facts_are_refused():
    with pytest.raises(InfraError, match="not the facts of a node"):
        differences(TINY, said(TINY), {"facts": {"gpu": {}}})


def test_less_than_a_quarter_of_a_gib_is_nobodys():
    plan = copy.deepcopy(TWO_L4)
    plan["placement"]["gpu_layers"] = 40
    for row in plan["memory"]["devices"]:
        row["free_bytes"] = 14300 * MIB
    assert cause("cuda_two_gpus", plan=plan) == "the server was started with other arguments than the plan's"
