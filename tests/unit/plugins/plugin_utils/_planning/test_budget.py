# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import Buffers
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.budget import Budget, Shortfall, budget_of
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain

GIB = 1024**3


def wishes(budget_bytes=None, reserve_bytes=None):
    return SimpleNamespace(reserve_bytes=reserve_bytes, ram_reserve_bytes=2 * GIB, budget_bytes=budget_bytes)


def allocation(*devices, host):
    return SimpleNamespace(devices=tuple(Buffers(size, 0, 0) for size in devices), host=Buffers(host, 0, 0))


def test_what_is_free_less_the_reserve(facts):
    node = facts(24, 8, 0.5, ram_gib=64)
    budget = budget_of(node_from_plain(node), wishes())
    assert budget.device_bytes == (23 * GIB, 7 * GIB, 0)
    assert (budget.ram_bytes, budget.unified) == (62 * GIB, False)


@pytest.mark.parametrize("granted, expected", [((4 * GIB,), (4, 4)), ((6 * GIB, 2 * GIB), (6, 2)), ((30 * GIB,), (24, 8)), ((0, GIB), (0, 1))])
def test_an_absolute_budget_takes_the_place_of_the_reserve(facts, granted, expected):
    assert budget_of(node_from_plain(facts(24, 8)), wishes(granted)).device_bytes == tuple(size * GIB for size in expected)


def test_of_a_budget_and_a_reserve_the_smaller_limit_holds(facts):
    assert budget_of(node_from_plain(facts(24, 8)), wishes((20 * GIB,), (2 * GIB, 3 * GIB))).device_bytes == (20 * GIB, 5 * GIB)


def test_a_budget_for_some_gpus_only_is_refused(facts):
    with pytest.raises(InfraError) as error:
        budget_of(node_from_plain(facts(24, 8, 8)), wishes((GIB, GIB)))
    assert "llama_plan.budget_bytes: not one value for each GPU" in str(error.value)
    assert "one value for all GPUs, or 3" in str(error.value)


def test_shortfalls_are_named_worst_first():
    budget = Budget(("CUDA0", "CUDA1"), (10, 20), 30, False)
    assert budget.holds(allocation(10, 20, host=30))
    assert budget.shortfalls(allocation(11, 20, host=35)) == [Shortfall("RAM", 5), Shortfall("CUDA0", 1)]


def test_unified_memory_is_one_pool_and_the_gpu_may_have_a_part_of_it():
    budget = Budget(("CUDA0",), (10,), 30, True)
    assert budget.holds(allocation(10, host=20))
    assert budget.shortfalls(allocation(10, host=21)) == [Shortfall("RAM", 1)]
    assert budget.shortfalls(allocation(11, host=5)) == [Shortfall("CUDA0", 1)]


def test_the_best_gpu_is_the_fastest_where_that_is_known(facts):
    node = facts(8, 24, 16)
    assert budget_of(node_from_plain(node), wishes()).best_first() == [1, 2, 0]
    for device, bandwidth in zip(node["devices"], (900, 300, 600), strict=True):
        device["memory_bandwidth_bytes_per_second"] = bandwidth * 10**9
    assert budget_of(node_from_plain(node), wishes()).best_first() == [0, 2, 1]
    del node["devices"][0]["memory_bandwidth_bytes_per_second"]
    assert budget_of(node_from_plain(node), wishes()).best_first() == [1, 2, 0]


def test_what_other_machines_have_is_not_in_this_ones_ram():
    both = Budget(("RPC0", "CUDA0"), (64 * GIB, 64 * GIB), 60 * GIB, True, remote=frozenset({0}))
    assert both.in_ram_bytes(allocation(40 * GIB, 30 * GIB, host=GIB)) == 31 * GIB
    assert both.holds(allocation(40 * GIB, 30 * GIB, host=GIB))
    assert not Budget(("CUDA0", "CUDA1"), (64 * GIB, 64 * GIB), 60 * GIB, True).holds(allocation(40 * GIB, 30 * GIB, host=GIB))
