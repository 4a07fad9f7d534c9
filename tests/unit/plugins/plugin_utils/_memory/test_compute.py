# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compute buffers: exact where the rule is, close everywhere."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import devices_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2


def differences(models):
    """(got - reported, reported) in MiB for every device and the host of every row of C(models)."""
    found = []
    for name in models:
        model = truth.model(name)
        for row in truth.rows()[name]:
            allocation = allocate(model, resolve(row["settings"], model), devices_from_plain(row["devices"]))
            reported = (*row["expected"]["devices"], row["expected"]["host"])
            for buffers, expected in zip((*allocation.devices, allocation.host), reported, strict=True):
                found.append((buffers.compute_bytes // MIB - expected["compute"], expected["compute"]))
    return found


def test_nearly_every_figure_is_that_of_llama_cpp():
    found = differences(truth.rows())
    below = [difference for difference, _reported in found if difference < -1]
    above = sum(1 for difference, _reported in found if difference > 1)
    far_above = sum(1 for difference, reported in found if difference > max(16, reported * 0.05))
    assert len(found) > 17000
    assert not below
    assert not far_above
    assert not above
