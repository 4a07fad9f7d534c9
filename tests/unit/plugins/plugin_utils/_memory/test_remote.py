# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.loading import loading_bytes
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.remote import pinned_by, remote_numbers
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2
DENSE, MOE = "Llama-3.1-8B-Q4_K_M.gguf", "Qwen3-30B-A3B-Q4_K_M.gguf"


def device(name, remote=False, **more):
    return Device(name, 24000 * MIB, remote=remote, **more)


RPC0, RPC1, CUDA0 = device("RPC0", True), device("RPC1", True), device("CUDA0")


def compute(name, devices, **settings):
    """MiB on each device and on the host."""
    model = truth.model(name)
    found = allocate(model, resolve(settings, model), devices)
    return [buffers.compute_bytes // MIB for buffers in (*found.devices, found.host)]


@pytest.mark.parametrize(
    ("devices", "settings", "told"),
    [
        # what llama.cpp at the commit of the rules said: tests/oracle/oracle.py ask --devices 24000:rpc,24000:rpc,24000
        ((RPC0, RPC1, CUDA0), {"ctx_size": 32768}, [268, 300, 300, 168]),
        # and --devices 24000:rpc, with nothing on it: the weights in RAM are not sent through a server
        ((RPC0,), {"ctx_size": 32768, "gpu_layers": 0}, [0, 148]),
    ],
)
def test_buffers_are_those_that_llama_cpp_tells(devices, settings, told):
    assert compute(DENSE, devices, **settings) == told


def test_servers_take_part_in_the_pipeline_whatever_their_backend_has():
    assert compute(DENSE, (RPC0, CUDA0), ctx_size=32768) == compute(DENSE, (device("CUDA0"), device("CUDA1")), ctx_size=32768)


def test_the_first_device_of_the_machine_itself_works_on_weights_in_ram():
    theirs, own, _host = compute(MOE, (RPC0, CUDA0), ctx_size=8192, n_cpu_moe=48)
    first, second, _host = compute(MOE, (device("CUDA0"), device("CUDA1")), ctx_size=8192, n_cpu_moe=48)
    assert (own > theirs, first > second) == (True, True)


def test_the_host_has_pinned_memory_only_where_the_first_device_is_its_own():
    assert pinned_by((CUDA0, device("CUDA1"))) == CUDA0
    assert (pinned_by((RPC0, CUDA0)), pinned_by(())) == (None, None)
    assert remote_numbers((RPC0, CUDA0, RPC1)) == {0, 2}


def test_each_tensor_is_copied_into_a_message():
    model = truth.model(DENSE)
    largest = max(group.size_bytes for group in model.tensors)
    assert loading_bytes(model, "auto", (RPC0, CUDA0)) == largest
    assert loading_bytes(model, "none", (RPC0, CUDA0)) == 2 * largest
    assert loading_bytes(model, "auto", (CUDA0,)) == 0
