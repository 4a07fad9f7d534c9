# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.process import process_bytes
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.workers import workers

from .teams import DENSE, GIB, chooser, node


def rows(nodes, head=0, cache=False, **wishes):
    found = chooser(DENSE, nodes, head, ctx_size=8192, **wishes)
    placement = found.find().placement
    messages = {worker.name: GIB for worker in found.team.workers}
    return workers(found.team, placement.allocation, placement.layers_per_gpu, messages, cache), placement


def test_a_worker_has_the_sums_of_its_devices():
    (second, third), placement = rows({"a": node("nvidia-l4"), "b": node("nvidia-l4", "nvidia-l4"), "c": node("amd-rx-7900-xtx")})
    assert [worker["endpoint_index"] for worker in (second, third)] == [0, 1]
    assert [device["rpc_name"] for device in (*second["devices"], *third["devices"])] == ["RPC0", "RPC1", "RPC2"]
    assert (second["args"], third["args"]) == (["--device", "CUDA0,CUDA1"], ["--device", "ROCm0"])
    assert (second["backend"], third["backend"]) == ("cuda12", "rocm")
    own = placement.allocation.devices[:2]
    assert second["weights_bytes"] == sum(buffers.weights_bytes for buffers in own)
    assert second["used_bytes"] == second["weights_bytes"] + second["kv_bytes"] + second["compute_bytes"] == sum(buffers.total_bytes for buffers in own)
    assert second["layers"] == sum(placement.layers_per_gpu[:2])
    assert second["overhead_bytes"] == 2 * second["devices"][0]["overhead_bytes"] > 0


def test_its_ram_holds_the_server_and_a_message():
    (worker,), _placement = rows({"a": node("nvidia-l4"), "b": node("nvidia-l4")})
    assert worker["min_ram_bytes"] == process_bytes(("a device",)) + GIB


@pytest.mark.parametrize("other", [node(ram_gib=64), node("nvidia-gb10", ram_gib=64)])
def test_devices_that_are_ram_are_in_its_ram(other):
    (worker,), _placement = rows({"a": node("nvidia-l4"), "b": other})
    with_driver = process_bytes(tuple(other["gpus"]))
    assert worker["min_ram_bytes"] == with_driver + GIB + worker["used_bytes"]


def test_a_cache_on_the_disk_takes_the_weights():
    (worker,), _placement = rows({"a": node("nvidia-l4"), "b": node(ram_gib=64)}, cache=True)
    assert (worker["args"], worker["cache_bytes"]) == (["--device", "CPU", "--cache"], worker["weights_bytes"])


def test_a_worker_sees_its_gpus_in_the_order_of_the_plan(facts):
    (worker,), _placement = rows({"a": facts(24), "b": facts(24, 24)})
    assert worker["env"] == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "GPU-0,GPU-1"}
    assert [device["uuid"] for device in worker["devices"]] == ["GPU-0", "GPU-1"]
