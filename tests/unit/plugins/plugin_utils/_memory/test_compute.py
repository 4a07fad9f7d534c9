# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compute buffers: exact where the rule is, close everywhere."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.compute import MODELLED, NOT_DESCRIBED
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import devices_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2
DESCRIBED = [name for name in truth.rows() if set(families.kind(truth.model(name))) <= MODELLED and truth.model(name).architecture not in NOT_DESCRIBED]


def differences(models):
    """(got - reported, reported) in MiB for every device and the host of every row of C(models)."""
    found = []
    for name in models:
        model = truth.model(name)
        for row in truth.rows()[name]:
            if row["settings"]["mtp"] == "context":
                continue
            allocation = allocate(model, resolve(row["settings"], model), devices_from_plain(row["devices"]))
            reported = (*row["expected"]["devices"], row["expected"]["host"])
            for buffers, expected in zip((*allocation.devices, allocation.host), reported, strict=True):
                found.append((buffers.compute_bytes // MIB - expected["compute"], expected["compute"]))
    return found


def test_exact_for_a_dense_model_on_gpus():
    model = truth.model("Llama-3.1-8B-Q4_K_M.gguf")
    rows = [
        row
        for row in truth.rows()["Llama-3.1-8B-Q4_K_M.gguf"]
        if row["settings"]["gpu_layers"] == "all" and row["settings"]["kv_offload"] and row["devices"][0]["events"] and row["settings"]["outputs"] != "batch"
    ]
    assert len(rows) > 10
    for row in rows:
        allocation = allocate(model, resolve(row["settings"], model), devices_from_plain(row["devices"]))
        got = [buffers.compute_bytes // MIB for buffers in (*allocation.devices, allocation.host)]
        assert got == [buffers["compute"] for buffers in (*row["expected"]["devices"], row["expected"]["host"])], row["settings"]


def test_no_figure_is_below_and_few_are_far_above():
    found = differences(DESCRIBED)
    below = [difference for difference, _reported in found if difference < -1]
    above = sum(1 for difference, reported in found if difference > max(16, reported * 0.05))
    assert len(found) > 4500
    assert not below
    assert above / len(found) < 0.03
