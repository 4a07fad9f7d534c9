# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.instead import alone, smaller
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import team_wishes
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

from .teams import DEEPSEEK, LARGE, members, node


def test_the_best_of_the_nodes_alone_is_that_of_a_plan_for_it():
    nodes = {"weak": node("nvidia-l4", ram_gib=256), "strong": node("nvidia-l40s", ram_gib=256)}
    got = alone(truth.model(LARGE), members(nodes, ctx_size=8192), team_wishes({"ctx_size": 8192})).as_plain()
    told = plan(truth.plain(LARGE), nodes["strong"], {"ctx_size": 8192})["throughput"]
    assert (got["node"], got["what"]) == ("strong", "strong alone, part of it in its RAM")
    assert got["decode_tokens_per_second_expected"] == told["decode"]["tokens_per_second_expected"]
    assert got["prefill_tokens_per_second_expected"] == told["prefill"]["tokens_per_second_expected"]


def test_there_is_none_where_no_node_has_the_ram():
    assert alone(truth.model(DEEPSEEK), members({"a": node("nvidia-l4"), "b": node("nvidia-l4")}), team_wishes({})) is None


def test_a_smaller_quantization_is_one_that_a_plan_has_wholly_on_the_gpus():
    nodes = {"a": node("nvidia-l40s"), "b": node("nvidia-l4")}
    got = smaller(truth.model(LARGE), members(nodes, ctx_size=8192), team_wishes({"ctx_size": 8192}))
    assert (got.node, got.all_on_gpu) == ("a", True)
    refused = plan(truth.plain(LARGE), nodes["a"], {"ctx_size": 8192, "allow_cpu": False})
    assert got.as_plain()["quantization"] == refused["missing"]["largest_quantization"]["name"]


def test_there_is_none_where_the_model_itself_is_on_one_nodes_gpus():
    assert smaller(truth.model(LARGE), members({"a": node("nvidia-h200"), "b": node("nvidia-l4")}), team_wishes({})) is None
    assert smaller(truth.model(LARGE), members({"a": node(), "b": node()}), team_wishes({})) is None


def test_rates_are_told_for_less_context_too():
    nodes = {"a": node("nvidia-h200"), "b": node("nvidia-l4")}
    got = alone(truth.model(LARGE), members(nodes), team_wishes({}))
    assert got.tokens_per_second(4096) > got.tokens_per_second(got.choice.ctx_size)
