# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory rules against what llama.cpp reports (tests/truth), for every model and every row there."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import HOST, devices_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.layout import layout
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.weights import placed_tensors
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2


def expected(row, part):
    return [buffers[part] for buffers in (*row["expected"]["devices"], row["expected"]["host"])]


every_model = pytest.mark.parametrize("name", sorted(truth.rows()))


@every_model
def test_weights_are_those_of_llama_cpp(name):
    model = truth.model(name)
    for row in truth.rows()[name]:
        devices = devices_from_plain(row["devices"])
        settings = resolve(row["settings"], model)
        got = [0] * (len(devices) + 1)
        for device, size, _group, _block in placed_tensors(model, settings, devices, layout(model, settings, devices)):
            got[device] += size
        assert [size // MIB for size in got] == pytest.approx(expected(row, "weights"), abs=1), row["settings"]


@every_model
def test_the_cache_is_that_of_llama_cpp(name):
    model = truth.model(name)
    for row in truth.rows()[name]:
        devices = devices_from_plain(row["devices"])
        settings = resolve(row["settings"], model)
        blocks = layout(model, settings, devices).blocks
        got = [0] * (len(devices) + 1)
        for block, size in enumerate(families.cache(model, settings)):
            got[blocks[block] if settings.kv_offload else HOST] += size
        assert [size // MIB for size in got] == pytest.approx(expected(row, "kv"), abs=1), row["settings"]


@every_model
def test_compute_buffers_are_near_those_of_llama_cpp(name):
    """Never below; see test_compute.py for how far above."""
    model = truth.model(name)
    for row in truth.rows()[name]:
        allocation = allocate(model, resolve(row["settings"], model), devices_from_plain(row["devices"]))
        for buffers, reported in zip((*allocation.devices, allocation.host), expected(row, "compute"), strict=True):
            assert buffers.compute_bytes // MIB >= reported - 1, row["settings"]
