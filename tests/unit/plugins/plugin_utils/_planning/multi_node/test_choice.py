# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.choice import choose
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import team_wishes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

from .teams import DEEPSEEK, DENSE, LARGE, TEN_GBIT, members, node


def chosen(name, nodes, head=None, **wishes):
    chooser, choice = choose(truth.model(name), members(nodes, **wishes), head, TEN_GBIT, team_wishes(wishes))
    assert choice.fits
    return chooser.team.head.name, [worker.name for worker in chooser.team.workers]


def test_the_fewest_nodes_that_hold_it():
    nodes = {name: node("nvidia-l4", "nvidia-l4") for name in "abcdef"}
    assert chosen(LARGE, nodes, ctx_size=8192) == ("a", ["b"])
    assert chosen(LARGE, {name: node("nvidia-l4") for name in "abcdef"}, ctx_size=8192) == ("a", ["b", "c", "d"])


def test_of_unequal_nodes_those_on_which_a_request_is_done_soonest():
    nodes = {"slow": node(ram_gib=64), "l4": node("nvidia-l4"), "fast": node("nvidia-rtx-4090"), "faster": node("nvidia-rtx-5090")}
    head, workers = chosen(DENSE, nodes, ctx_size=8192)
    assert {head, *workers} == {"fast", "faster"}


def test_the_head_is_the_one_that_is_named():
    nodes = {"a": node("nvidia-l4"), "b": node("nvidia-l4"), "c": node(ram_gib=32)}
    assert chosen(DENSE, nodes, "b", ctx_size=8192) == ("b", ["a"])
    assert chosen(DENSE, nodes, "c", ctx_size=8192) == ("c", ["a"])
    with pytest.raises(InfraError, match="the head is none of the nodes"):
        chosen(DENSE, nodes, "d")


def test_a_head_with_a_gpu_spares_the_network_the_logits():
    assert chosen(DENSE, {"cpu": node(ram_gib=32), "gpu": node("nvidia-l4"), "other": node("nvidia-l4")}, ctx_size=4096)[0] == "gpu"


def test_where_none_has_a_gpu_one_is_the_head_all_the_same():
    assert chosen(DENSE, {name: node(ram_gib=32) for name in "abc"}, ctx_size=4096) == ("a", ["b"])


def test_what_is_too_large_for_all_is_an_error_with_what_is_missing():
    with pytest.raises(InfraError) as error:
        chosen(DEEPSEEK, {"a": node("nvidia-l4"), "b": node("nvidia-l4", "nvidia-l4")})
    said = str(error.value)
    assert "fits on no 2 of these nodes together" in said
    # 385,750 MiB of weights, and 3 GPUs with 21.0 GiB to use each
    missing = float(said.split("expected ")[1].split(" GiB")[0])
    assert 376.7 - 3 * 21.1 < missing < 376.7 - 3 * 21.0 + 5
    assert "quantization" not in said


def test_a_smaller_quantization_is_told_where_one_would_fit():
    with pytest.raises(InfraError, match=r"is the largest quantization that would fit"):
        chosen(LARGE, {"a": node("nvidia-l4"), "b": node("nvidia-l4", "nvidia-l4")})


def test_llama_cpp_has_room_for_fifteen_devices():
    many = {name: node(*["nvidia-l4"] * 8) for name in "ab"}
    with pytest.raises(InfraError, match="more devices than llama.cpp has room for"):
        chosen(LARGE, many)
    assert chosen(LARGE, {**many, "c": node(*["nvidia-l4"] * 4)}, ctx_size=8192) == ("a", ["c"])
