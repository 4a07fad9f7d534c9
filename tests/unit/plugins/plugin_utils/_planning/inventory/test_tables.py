# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.overview import overview
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.tables import DETAILS, MOST_COLUMNS, details, in_short, matrix, summary


def test_a_table_of_nodes_by_models_where_it_can_be_read(others):
    heads, rows = matrix(overview({}, others))
    assert heads[2:4] == ("small", "large")
    assert [row[0] for row in rows] == list(others)
    assert rows[2][3].startswith("no: RAM lacks ") and rows[2][3].endswith("(budget 62.0 GiB)")
    plan = others["l4"]["small"]
    assert matrix(overview({"l4": plan})) is None
    assert matrix(overview({}, {"l4": {str(number): plan for number in range(MOST_COLUMNS)}})) is not None
    assert matrix(overview({}, {"l4": {str(number): plan for number in range(MOST_COLUMNS + 1)}})) is None


def test_a_row_for_each_plan_and_each_error(others):
    heads, rows = details(overview({"gone": None}, others))
    assert heads == DETAILS and {len(row) for row in rows} == {len(DETAILS)}
    assert [row[0] for row in rows] == ["gone", *["l4"] * 3, *["two"] * 3, *["cpu"] * 3]
    told = dict(zip(heads, rows[2], strict=True))
    plan = others["l4"]["large"]
    assert told["Layers"] == f"{plan['placement']['gpu_layers']}/62" and told["Context"] == str(plan["context"]["ctx_size"])
    assert told["GPU memory"] == "21.0 GiB of 22.0 GiB" and told["Missing"] == "-"


def test_a_speed_is_only_told_of_what_runs(others):
    rows = {row[:2]: row[7] for row in details(overview({}, others))[1]}
    assert rows["l4", "large"].endswith(" t/s") and rows["cpu", "large"] == "-"


@pytest.mark.parametrize(
    ("plans", "errors", "said"),
    [
        ({}, None, "0 nodes, 0 models: 0 plans fit."),
        ({"a": "small"}, None, "1 node, 1 model: 1 plan fit."),
        ({"a": "small", "b": "large"}, {"c": "x"}, "3 nodes, 2 models: 1 plan fit, 1 does not, 1 was not made."),
    ],
)
def test_the_sum_of_it(others, plans, errors, said):
    assert summary(overview({node: others["two"][name] for node, name in plans.items()}, errors=errors)) == said


def test_a_refusal_without_figures_says_what_would_help(others):
    row = overview({"cpu": {**others["cpu"]["large"], "missing": {"to_run": []}, "would_help": ["A GPU: the node has none."]}})["nodes"][0]["models"][0]
    assert in_short(row) == "no: A GPU: the node has none"
