# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what a server says is compared with the right side of the plan."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.differences import differences
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.served import context_per_slot

PLAN = {
    "model": {"name": "Tiny", "parameters": 4722944, "files": [{"path": "/models/tiny.gguf", "url": None}]},
    "context": {"ctx_size": 4096, "n_ctx_train": 4096, "parallel": 4, "kv_unified": True},
}
INFO = {
    "total_slots": 4, "n_ctx": 4096, "model_path": "/models/tiny.gguf", "model_alias": "Tiny",
    "models": [{"id": "Tiny", "parameters": 4722944}],
}  # fmt: skip


# Each of these was read from /props of a real server, llama.cpp build 11549, with a model trained with 4096.
@pytest.mark.parametrize("ctx_size, parallel, kv_unified, n_ctx", [
    (4096, 4, True, 4096),
    (4096, 4, False, 1024),
    (4096, 3, False, 1536),
    (5000, 3, True, 4096),
    (8192, 4, True, 4096),
    (16384, 2, False, 4096),
    (1000, 1, False, 1024),
    (1000, 4, False, 256),
])  # fmt: skip
def test_the_context_of_a_slot(ctx_size, parallel, kv_unified, n_ctx):
    assert context_per_slot({"ctx_size": ctx_size, "parallel": parallel, "kv_unified": kv_unified, "n_ctx_train": 4096}) == n_ctx


def test_a_plan_that_does_not_know_the_training_context():
    assert context_per_slot({"ctx_size": 8192, "parallel": 1, "kv_unified": True, "n_ctx_train": None}) == 8192


def test_nothing_differs():
    verdict = differences(PLAN, INFO, {"model": "/models/tiny.gguf", "alias": "Tiny"})
    assert (verdict["agrees"], verdict["differences"]) == (True, [])
    assert verdict["checked"] == ["slots", "context per slot", "model path", "model alias", "parameters"]


def found(plan, info, options):
    """The differences without the sentences."""
    verdict = differences(plan, info, options)
    assert verdict["agrees"] is not bool(verdict["differences"])
    return [{key: difference[key] for key in ("what", "expected", "got")} for difference in verdict["differences"]]


@pytest.mark.parametrize("key, value, entry", [
    ("total_slots", 1, {"what": "slots", "expected": 4, "got": 1}),
    ("n_ctx", 1024, {"what": "context per slot", "expected": 4096, "got": 1024}),
    ("model_path", "/models/b.gguf", {"what": "model path", "expected": "/models/tiny.gguf", "got": "/models/b.gguf"}),
    ("model_alias", "Huge", {"what": "model alias", "expected": "Tiny", "got": "Huge"}),
    ("models", [{"parameters": 7}], {"what": "parameters", "expected": 4722944, "got": 7}),
])  # fmt: skip
def test_one_thing_differs(key, value, entry):
    assert found(PLAN, {**INFO, key: value}, {"alias": "Tiny"}) == [entry]


@pytest.mark.parametrize("build_info, older", [("b9999-abc", True), ("b10436-abc", False), ("b11312", False), (None, False), ("b0-unknown", False), (7, False)])
def test_a_build_with_holes_that_are_known(build_info, older):
    plan = {**PLAN, "llama_cpp": {"minimum_build": 10436}}
    expected = [{"what": "build", "expected": "b10436 or newer", "got": build_info}] if older else []
    assert found(plan, {**INFO, "build_info": build_info}, {}) == expected


def test_a_path_on_the_node_wins_over_the_plans():
    assert found(PLAN, {**INFO, "model_path": "/srv/m.gguf"}, {"model": "/srv/m.gguf"}) == []


def test_a_plan_from_an_address_says_nothing_about_the_path():
    plan = copy.deepcopy(PLAN)
    plan["model"]["files"] = [{"path": None, "url": "https://example.org/m.gguf"}]
    assert found(plan, {**INFO, "model_path": "/anywhere"}, {}) == []


@pytest.mark.parametrize("plan, info, options, message", [
    ({}, INFO, {}, "not a plan"),
    ("plan", INFO, {}, "not a plan"),
    (PLAN, {"changed": False}, {}, "not what a server says"),
    (PLAN, INFO, {"modle": "/x"}, "Did you mean 'model'"),
    (PLAN, INFO, {"alias": 1}, "alias"),
])  # fmt: skip
def test_input_that_is_refused(plan, info, options, message):
    with pytest.raises(InfraError, match=message):
        differences(plan, info, options)


def test_a_server_that_could_not_be_asked():
    """What its log has is compared, and nothing is left out in silence."""
    unasked = {"total_slots": 4, "n_ctx": None, "not_asked": "it listens on loopback", "models": [], "model_path": None}
    verdict = differences(PLAN, unasked, {"model": "/models/tiny.gguf", "alias": "Tiny"})
    assert verdict["agrees"] and verdict["checked"] == ["slots"]
    left_out = {entry["what"] for entry in verdict["not_checked"] if entry["why"] == "it listens on loopback"}
    assert left_out == {"context per slot", "model path", "model alias", "parameters"}
    assert [found["what"] for found in differences(PLAN, {**unasked, "total_slots": 2}, {})["differences"]] == ["slots"]
