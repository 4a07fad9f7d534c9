# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.rates import RAM_BYTES_PER_SECOND, rates_of
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.speed.predicted import node_with

GB = 10**9


def test_what_the_node_says_is_used():
    got = rates_of(node_with(("nvidia-l4",), 200 * GB, cpu_flops=10**12))
    assert (got.names, got.peak_memory, got.assumed) == (("CUDA0", "RAM"), (300 * GB, 200 * GB), {})
    assert got.memory == pytest.approx((240 * GB, 120 * GB))
    assert got.matrix[1] == 5 * 10**11


def test_what_it_does_not_say_is_assumed_and_named_where_it_matters():
    got = rates_of(node_with(("nvidia-l4",)))
    assert set(got.assumed) == {"RAM memory_bandwidth_bytes_per_second", "cpu_flops"}
    assert got.resting_on(["CUDA0 memory", "CUDA0 compute", "PCIe", "latency"]) == {}
    assert got.resting_on(["RAM"]) == {"RAM memory_bandwidth_bytes_per_second": RAM_BYTES_PER_SECOND}
    assert list(got.resting_on(["CPU compute"])) == ["cpu_flops"]


def test_an_unknown_gpu_is_assumed_in_each_respect(facts):
    from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain

    got = rates_of(node_from_plain(facts(24)))
    for what, key in (("memory", "memory_bandwidth_bytes_per_second"), ("compute", "matrix_flops")):
        assert list(got.resting_on([f"CUDA0 {what}"])) == [f"CUDA0 {key}"]
    assert list(got.resting_on(["PCIe"])) == ["CUDA0 pcie_bytes_per_second"]


def test_a_multiprocessor_has_a_limit_whatever_the_datasheet_says():
    got = rates_of(node_with(("nvidia-h100-sxm5", "nvidia-rtx-3090")))
    assert got.matrix[0] == 132 * 0.85e12 < 0.2 * got.peak_matrix[0]
    assert got.matrix[1] == pytest.approx(0.7 * got.peak_matrix[1], rel=0.05)
