# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.overview import NOTHING_KNOWN, overview
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.inventory.few_nodes import ODD


def nodes(*arguments):
    return {node["name"]: node for node in overview(*arguments)["nodes"]}


def test_nodes_by_models(others):
    found = overview({}, others)
    assert found["models"] == ["small", "large", ODD]
    assert {node["name"]: [row["verdict"] for row in node["models"]] for node in found["nodes"]} == {
        "l4": ["gpu", "gpu+ram", "error"],
        "two": ["gpu", "no", "error"],
        "cpu": ["cpu", "no", "error"],
    }
    assert [gpu["device"] for gpu in found["nodes"][1]["gpus"]] == ["CUDA0", "CUDA1"]


def test_what_is_missing_is_told_with_its_budget(others):
    row = nodes({}, others)["cpu"]["models"][1]
    (lacking,) = row["missing"]
    made = others["cpu"]["large"]
    assert lacking == {"where": "RAM", "missing_bytes": made["missing"]["to_run"][0]["missing_bytes"], "budget_bytes": 62 * 2**30}
    assert row["would_help"] == made["would_help"]


def test_the_memory_is_that_of_the_plan(others):
    made = others["two"]["small"]
    row = nodes({}, others)["two"]["models"][0]
    assert [memory["where"] for memory in row["memory"]] == ["CUDA0", "CUDA1", "RAM"]
    for memory, device in zip(row["memory"], made["memory"]["devices"], strict=False):
        assert memory["used_bytes"] == device["total_bytes"] <= memory["budget_bytes"] < memory["free_bytes"] == device["free_bytes"]
    host = made["memory"]["host"]
    assert row["memory"][2]["used_bytes"] == host["total_bytes"] + host["checkpoints_bytes"] + host["cache_ram_bytes"]


def test_the_deployed_one_is_marked_among_the_others(others):
    """It is the same model, whatever name it has there, and what is deployed counts."""
    deployed = {**others["l4"]["large"], "warnings": ["kept"]}
    rows = nodes({"l4": deployed}, others)["l4"]["models"]
    assert [(row["name"], row["deployed"]) for row in rows] == [("small", False), ("large", True), (ODD, False)]
    assert rows[1]["warnings"] == ["kept"]


def test_the_deployed_one_alone_has_a_name_of_its_own(others):
    deployed = others["l4"]["large"]
    assert [row["name"] for row in nodes({"l4": deployed})["l4"]["models"]] == ["DeepSeek-V3.1-Q4_K_M"]
    taken = {"l4": {"DeepSeek-V3.1-Q4_K_M": others["l4"]["small"]}}
    assert [row["name"] for row in nodes({"l4": deployed}, taken)["l4"]["models"]] == ["DeepSeek-V3.1-Q4_K_M (deployed)", "DeepSeek-V3.1-Q4_K_M"]


def test_a_node_without_a_plan_is_there(others):
    found = nodes({"gone": None, "l4": others["l4"]["small"], "bad": None}, {"late": None}, {"bad": "no\x1b such GPU", "l4": None})
    assert {name: (node["error"], len(node["models"])) for name, node in found.items()} == {
        "gone": (NOTHING_KNOWN, 0), "l4": (None, 1), "bad": ("no  such GPU", 0), "late": (NOTHING_KNOWN, 0),
    }  # fmt: skip


def test_what_is_no_plan_hides_nothing_else(others):
    found = nodes({"a": {"fits": True}, "b": others["l4"]["small"]}, {"b": {"x": 3}})
    assert found["a"]["models"][0]["error"].startswith("not a plan")
    assert [row["verdict"] for row in found["b"]["models"]] == ["gpu", "error"]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [(([],), "input"), (({}, []), "others"), (({}, {"l4": []}), "others.l4"), (({}, {"l4": 3}), "others.l4"), (({}, {}, "x"), "errors")],
)
def test_what_is_no_dictionary_is_refused(arguments, where):
    with pytest.raises(InfraError, match=f"{where}: not a dictionary"):
        overview(*arguments)
