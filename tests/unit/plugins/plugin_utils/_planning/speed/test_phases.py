# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.phases import EXPERT_SHARE, batch, token
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.rates import CHANGE_SECONDS, EXPERT_WAITING, Rates
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.work import Work

RATES = Rates(("CUDA0", "CUDA1", "RAM"), (100, 100, 10), (80, 80, 5), (2000, 2000, 20), (1000, 1000, 10), (0.001, 0.001, 0.002), 20, {})


def work(**changed):
    figures = {
        "token_bytes": (80, 160, 0), "batch_bytes": (80, 160, 0), "expert_bytes": (0, 0, 0), "operations": (100, 200, 0),
        "expert_operations": (0, 0, 0), "blocks": (1, 2, 0), "apart": (0, 0), **changed,
    }  # fmt: skip
    return Work(**figures)


def test_devices_work_on_a_token_one_after_another():
    got = token(work(), (0, 80, 0), RATES)
    assert got.expected == pytest.approx({"CUDA0 memory": 1, "CUDA1 memory": 3, "latency": 0.003})
    assert (got.bound_by, got.seconds) == ("CUDA1 memory", pytest.approx(4.003))
    assert got.least == pytest.approx(0.8 + 2.4)


def test_experts_wait_longer_and_changes_cost():
    plain = token(work(), (0, 0, 0), RATES).expected["latency"]
    got = token(work(expert_bytes=(0, 0, 50), apart=(2, 1)), (0, 0, 0), RATES)
    assert got.expected["latency"] == pytest.approx(plain * EXPERT_WAITING + 6 * CHANGE_SECONDS)


def test_a_batch_takes_as_long_as_arithmetic_or_memory():
    assert batch(work(), 1000, RATES, 1, True, True).expected == pytest.approx({"CUDA0 compute": 100, "CUDA1 compute": 200})
    assert batch(work(), 1, RATES, 1, True, True).expected == pytest.approx({"CUDA0 memory": 1, "CUDA1 memory": 2})


IN_RAM = {"batch_bytes": (80, 160, 40), "operations": (100, 200, 50)}


def test_weights_in_ram_pass_the_bus_and_the_first_gpu_works_with_them():
    got = batch(work(**IN_RAM), 1000, RATES, 1, True, True).expected
    assert got == pytest.approx({"PCIe": 40 / 20 / 0.8, "CUDA0 compute": 150, "CUDA1 compute": 200})
    assert batch(work(**IN_RAM), 1000, RATES, 1, True, False).expected["PCIe"] == pytest.approx(2 * got["PCIe"])


@pytest.mark.parametrize("tokens, op_offload", [(1000, False), (31, True)])
def test_or_the_cpu_works_with_them(tokens, op_offload):
    got = batch(work(**IN_RAM), tokens, RATES, 1, op_offload, True).expected
    assert "PCIe" not in got
    assert got["CPU compute"] == pytest.approx(tokens * 50 / 10)


def test_few_tokens_use_few_experts_and_many_all_of_them():
    experts = work(batch_bytes=(80, 160, 400), expert_bytes=(0, 0, 400), expert_operations=(0, 0, 10))
    few, many = (batch(experts, tokens, RATES, 1 / 64, True, True).expected for tokens in (32, 4096))
    assert few["PCIe"] == pytest.approx(many["PCIe"] * (1 - (63 / 64) ** 32))
    assert many["CUDA0 compute"] == pytest.approx(4096 * (100 + 10 / EXPERT_SHARE) / 1000)
