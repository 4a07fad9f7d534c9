# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import HOST, Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.layout import layout
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

TWO = (Device("CUDA0", 900), Device("CUDA1", 300))


@pytest.fixture
def model():
    """32 blocks, so 33 layers."""
    return truth.model("Llama-3.1-8B-Q4_K_M.gguf")


def placed(model, devices, **settings):
    found = layout(model, resolve(settings, model), devices)
    return found.blocks, found.output


def test_layers_are_taken_from_the_end_the_output_first(model):
    assert placed(model, TWO[:1], gpu_layers=1) == ((HOST,) * 32, 0)
    assert placed(model, TWO[:1], gpu_layers=2) == ((HOST,) * 31 + (0,), 0)


def test_without_devices_all_is_on_the_host(model):
    assert placed(model, ()) == ((HOST,) * 32, HOST)


def test_layers_are_shared_out_by_free_memory(model):
    blocks, output = placed(model, TWO)
    assert (blocks.count(0), blocks.count(1), output) == (25, 7, 1)


def test_layers_are_shared_out_as_asked(model):
    blocks, output = placed(model, TWO, tensor_split=[3, 30])
    assert (blocks.count(0), blocks.count(1), output) == (3, 29, 1)


def test_one_device_alone(model):
    assert placed(model, TWO, split_mode="none", main_gpu=1) == ((1,) * 32, 1)


def test_a_device_that_is_not_there_is_refused(model):
    with pytest.raises(InfraError, match="settings.main_gpu: no such device"):
        placed(model, TWO, split_mode="none", main_gpu=2)
    with pytest.raises(InfraError, match="more parts than devices"):
        placed(model, TWO, tensor_split=[1, 1, 1])
