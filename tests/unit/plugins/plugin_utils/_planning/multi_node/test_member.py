# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.process import process_bytes

from .teams import GIB, members, node


def test_a_gpu_may_be_used_but_for_the_reserve():
    first, second = members({"a": node("nvidia-l40s"), "b": node("nvidia-l4", "nvidia-l4")})
    assert [member.name for member in (first, second)] == ["a", "b"]
    assert [gpu.device for gpu in second.devices] == ["CUDA0", "CUDA1"]
    assert second.limits == tuple(gpu.memory_free_bytes - GIB for gpu in second.devices)


def test_a_node_without_a_gpu_gives_its_cpu_with_its_ram():
    _first, second = members({"a": node("nvidia-l4"), "b": node(ram_gib=64)}, message_bytes=GIB)
    (cpu,) = second.devices
    assert (cpu.device, cpu.vendor, second.backend.name) == ("CPU", "cpu", "cpu")
    assert second.limits == (64 * GIB - 2 * GIB - process_bytes(()) - GIB,)


def test_a_gpu_that_shares_the_ram_leaves_room_for_the_server():
    _first, second = members({"a": node("nvidia-l4"), "b": node("nvidia-gb10", ram_gib=128)}, message_bytes=GIB)
    assert second.limits == (128 * GIB - 2 * GIB - process_bytes(second.devices) - GIB,)


def test_a_node_with_none_of_the_gpus_that_are_wished_for_works_with_its_cpu(facts):
    nodes = {"a": facts(24), "b": facts(24, uuid="GPU-of-b")}
    first, second = members(nodes, devices=["GPU-of-b"])
    assert (first.devices[0].device, second.devices[0].uuid) == ("CPU", "GPU-of-b")
    with pytest.raises(InfraError, match="no node has a GPU with this uuid"):
        members(nodes, devices=["GPU-of-c"])


def test_nodes_of_the_same_hardware_are_alike(facts):
    first, second, third = members({"a": facts(24, uuid="GPU-1"), "b": facts(24, uuid="GPU-2"), "c": facts(16)})
    assert first.alike == second.alike != third.alike


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([], "nodes: not a dictionary of nodes"),
        ({"a": node("nvidia-l4")}, "nodes: too few nodes"),
        ({"a": node("nvidia-l4"), "b": {"gpus": [{"model": "nvidia-l5"}], "ram_bytes": GIB}}, "nodes.b: node.gpus[0].model"),
        ({"a": node("nvidia-l4"), "b": 3}, "nodes.b: node: not a description of a node"),
    ],
)
def test_what_is_no_nodes_is_refused(nodes, message):
    with pytest.raises(InfraError) as error:
        members(nodes)
    assert message in str(error.value)
