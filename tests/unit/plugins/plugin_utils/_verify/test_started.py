# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The logs of real servers beside the plan of the same model: what agrees, what differs, what could not be compared."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.differences import differences
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._verify.example import FACTS, MIB, TINY, TWO_L4, said

OF_THE_LOG = ["layers on GPUs", "GPUs used", "weights on Vulkan0", "KV cache on Vulkan0", "compute buffer on Vulkan0", "weights in RAM", "KV cache in RAM",
              "compute buffer in RAM", "flash attention", "type of the KV cache"]  # fmt: skip


def test_a_server_on_the_software_gpu_that_runs_as_planned():
    verdict = differences(TINY, said(TINY, "vulkan"), {})
    assert (verdict["agrees"], verdict["differences"]) == (True, [])
    assert verdict["checked"] == ["slots", "context per slot", "model path", "parameters", "build", *OF_THE_LOG]
    assert [row["what"] for row in verdict["not_checked"]] == ["RAM held", "memory held on GPUs"]


@pytest.mark.parametrize("log", ["vulkan_no_layers", "vulkan_not_used", "vulkan_hidden", "cpu_build", "cuda_driver_mismatch"])
def test_a_fall_back_to_the_cpu_is_always_found(log):
    verdict = differences(TINY, said(TINY, log), {})
    found = {row["what"]: row for row in verdict["differences"]}
    assert not verdict["agrees"]
    assert (found["layers on GPUs"]["expected"], found["layers on GPUs"]["got"]) == (5, 0)
    assert (found["GPUs used"]["expected"], found["GPUs used"]["got"]) == (["Vulkan0"], [])
    assert found["weights on Vulkan0"]["got"] == 0
    assert found["layers on GPUs"]["cause"]


@pytest.mark.parametrize("log, what", [
    ("vulkan_partial", ["layers on GPUs", "weights on Vulkan0", "KV cache on Vulkan0", "type of the KV cache"]),
    ("vulkan_override", ["weights on Vulkan0"]),
    ("vulkan_flash_off", ["flash attention"]),
])  # fmt: skip
def test_other_settings_than_planned(log, what):
    assert [row["what"] for row in differences(TINY, said(TINY, log), {})["differences"]] == what


@pytest.mark.parametrize("build, differs", [("b11312-0c1e57098", True), ("b11669-Debian", False), ("b0-unknown", False)])
def test_another_build_is_allowed_more_of_its_compute_buffers(build, differs):
    info = said(TINY, "vulkan_flash_off", build_info=build)
    info["log"]["build"] = build
    assert ("compute buffer on Vulkan0" in [row["what"] for row in differences(TINY, info, {})["differences"]]) is differs


def test_two_gpus():
    verdict = differences(TWO_L4, said(TWO_L4, "cuda_two_gpus"), {"facts": FACTS})
    assert verdict["differences"] == []
    assert {"GPU of CUDA0", "GPU of CUDA1", "weights on CUDA1"} <= set(verdict["checked"])


def test_the_other_gpu_of_the_kind():
    facts = copy.deepcopy(FACTS)
    facts["devices"][0]["pci_bus_id"] = "0000:0A:00.0"
    (row,) = differences(TWO_L4, said(TWO_L4, "cuda_two_gpus"), {"facts": facts})["differences"]
    assert (row["what"], row["expected"], row["got"]) == ("GPU of CUDA0", "0000:0a:00.0", "0000:00:03.0")


@pytest.mark.parametrize("change, differs", [(20, False), (-20, False), (100, True), (-100, True)])
def test_the_tolerance_of_weights(change, differs):
    plan = copy.deepcopy(TWO_L4)
    plan["memory"]["devices"][0]["weights_bytes"] += change * MIB
    found = [row["what"] for row in differences(plan, said(plan, "cuda_two_gpus"), {})["differences"]]
    assert found == (["weights on CUDA0"] if differs else [])


def test_mapped_weights_may_be_more_but_not_less():
    plan = copy.deepcopy(TWO_L4)
    plan["memory"]["host"]["weights_bytes"] = 100 * MIB
    assert differences(plan, said(plan, "cuda_two_gpus"), {})["agrees"]
    plan["memory"]["host"]["weights_bytes"] = 1000 * MIB
    assert [row["what"] for row in differences(plan, said(plan, "cuda_two_gpus"), {})["differences"]] == ["weights in RAM"]


@pytest.mark.parametrize("log, why", [
    (None, "no log was read"),
    ("vulkan_verbosity_3", "(--log-verbosity 3): start it with --log-verbosity 4"),
    ("refused_argument", "does not reach back to the start"),
    ("model_missing", "the server loaded no model"),
])  # fmt: skip
def test_without_a_log_nothing_is_passed_over_in_silence(log, why):
    verdict = differences(TINY, said(TINY, log), {})
    left_out = {row["what"]: row["why"] for row in verdict["not_checked"]}
    assert {"layers on GPUs", "GPUs used", "buffers", "flash attention", "type of the KV cache"} <= set(left_out)
    assert why in left_out["layers on GPUs"]
    assert not set(verdict["checked"]) & set(OF_THE_LOG)


def test_a_fall_back_is_found_at_the_default_verbosity():
    verdict = differences(TINY, said(TINY, "vulkan_hidden_verbosity_3"), {})
    (row,) = verdict["differences"]
    assert (row["what"], row["expected"], row["got"]) == ("layers on GPUs", 5, 0)
    assert row["cause"] == "the server sees no GPU: it is a build for the CPU, or the GPU is not given to it"
    assert {"GPUs used", "buffers"} <= {left_out["what"] for left_out in verdict["not_checked"]}
    assert differences({**TINY, "placement": {"gpu_layers": 0}}, said(TINY, "vulkan_hidden_verbosity_3"), {})["agrees"]


def test_a_log_that_could_not_be_read():
    info = said(TINY, log=None)
    info["log"] = {"read": False, "why_not": "there is no such unit"}
    assert {"what": "buffers", "why": "the log could not be read: there is no such unit"} in differences(TINY, info, {})["not_checked"]


@pytest.mark.parametrize("log, found", [("vulkan_partial", []), ("cpu_build", ["GPUs used"])])
def test_a_plan_that_leaves_the_placement_to_the_server(log, found):
    plan = {**TINY, "server": {"emit": "guided"}, "context": {**TINY["context"], "cache_type_k": "f16"}}
    verdict = differences(plan, said(plan, log), {})
    assert [row["what"] for row in verdict["differences"] if row["what"] != "type of the KV cache"] == found
    assert {"layers on GPUs", "buffers"} <= {row["what"] for row in verdict["not_checked"]}


@pytest.mark.parametrize("damage", [
    {"log": "text"}, {"log": []}, {"log": {"read": True, "memory": [], "layers": 7}}, {"log": {"read": True, "memory": {"devices": [7], "host": 7}}},
    {"process": [1]}, {"process": {"gpus": [3, {}]}}, {"models": {}}, {"log": {"read": True, "layers": {"on_gpu": True}, "devices": [{}], "problems": [None]}},
])  # fmt: skip
def test_damaged_answers_are_no_traceback(damage):
    verdict = differences(TINY, {**said(TINY), **damage}, {"facts": {"devices": [None], "driver": 7, "platform": []}})
    assert verdict["not_checked"]
