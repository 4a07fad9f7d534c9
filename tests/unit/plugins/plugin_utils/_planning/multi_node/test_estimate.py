# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network in the model of speed, and what people measured of RPC. Few such measurements say what their network is like, so these are bounds
against nonsense: the range of docs/speed.md has to hold them, and nothing more is claimed. SERVER_SECONDS was taken from the first."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wire import Wire
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import Network
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.throughput import DECODE_RANGE, PREFILL_RANGE, throughput

from .teams import DENSE, GEMMA, TEN_GBIT, chooser, node, planned

SPARKS = {"spark-1": node("nvidia-gb10"), "spark-2": node("nvidia-gb10")}


def within(measured, expected, factors):
    return expected * factors[0] <= measured <= expected * factors[1]


def test_two_dgx_spark_generate_with_a_model_of_27b():
    """12.42 tokens/s over the cable between them, 12.83 on one (https://github.com/defilantech/LLMKube/issues/1423). Gemma 3 27B stands in."""
    told = planned(GEMMA, SPARKS, link=10e9, trip=5e-5, ctx_size=4096)["throughput"]
    over, alone = (12.42, 12.83)
    assert within(over, told["decode"]["tokens_per_second_expected"], DECODE_RANGE)
    assert told["decode"]["seconds_per_token"]["network"] == pytest.approx(1 / over - 1 / alone, rel=0.5)
    # 73.4 tokens/s of prefill against 106 on one: of short prompts, which are not modelled; the prompt of a request is far above
    assert told["prefill"]["tokens_per_second_low"] > 73.4


def test_a_model_of_1b_behind_a_gigabit():
    """42 tokens/s against 60 to 63 without the network (https://github.com/ggml-org/llama.cpp/pull/6829): TinyLlama 1.1B, rows of 2,048 values,
    32,000 logits, 512 tokens of mask."""
    wire = Wire(2048 * 4 + 2 * 512 + 20 + 4 * 32000, 1, ())
    expected = 1 / (1 / 61.5 + wire.seconds(Network(118e6, 3e-4)))
    assert within(42, expected, DECODE_RANGE)


def test_prompts_of_servers_are_not_worked_on_at_once():
    """4 GPUs behind servers on one machine had 5,008 tokens/s where one had 7,558 (https://github.com/ggml-org/llama.cpp/pull/18626)."""
    found = chooser(DENSE, {"a": node("nvidia-l4"), "b": node("nvidia-l4")}, ctx_size=4096)
    allocation = found.find().placement.allocation
    told = throughput(found.estimate, allocation, found.node)["prefill"]
    assert told["tokens_per_second_expected"] == pytest.approx(512 / found.estimate.batch(allocation, 512).seconds, rel=0.01)
    assert PREFILL_RANGE[0] < 5008 / 7558


def test_a_slow_network_is_what_it_waits_for():
    slow = chooser(DENSE, {"a": node("nvidia-l4"), "b": node("nvidia-l4")}, network=Network(1e6, 0.05), ctx_size=4096)
    fast = chooser(DENSE, {"a": node("nvidia-l4"), "b": node("nvidia-l4")}, network=TEN_GBIT, ctx_size=4096)
    allocation = slow.find().placement.allocation
    assert slow.estimate.token(allocation).bound_by == "network" == slow.estimate.batch(allocation, 512).bound_by
    assert fast.estimate.token(allocation).bound_by != "network"
    more = slow.estimate.token(allocation).seconds - fast.estimate.token(allocation).seconds
    assert more == pytest.approx(slow.estimate.wire_of_token(allocation).size_bytes * (1e-6 - 1 / 1.25e9) + 0.05 - 2e-4)
