# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import HOST
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import team_wishes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

from .teams import DENSE, GIB, node, team

THREE = {"a": node("nvidia-l40s"), "b": node("nvidia-l4", "nvidia-l4"), "c": node(ram_gib=64)}


def test_devices_of_workers_come_first_and_are_numbered_through():
    got = team(THREE)
    assert [(place.gpu.device, place.member.name, place.number, place.remote) for place in got.places] == [
        ("RPC0", "b", 0, True),
        ("RPC1", "b", 1, True),
        ("RPC2", "c", 0, True),
        ("CUDA0", "a", 0, False),
    ]
    assert [device.remote for device in got.devices] == [True, True, True, False]
    assert all(device.events for device in got.devices)
    assert got.node.name == "a + b + c"
    assert [got.node_of(number) for number in (0, 2, 3, HOST)] == ["b", "c", "a", "a"]
    assert got.numbers_of(got.head) == (3,)


def test_the_order_of_the_nodes_is_that_of_rpc_whoever_is_the_head():
    assert [worker.name for worker in team(THREE, head=1).workers] == ["a", "c"]
    assert [place.gpu.device for place in team(THREE, head=2).places] == ["RPC0", "RPC1", "RPC2"]


def test_each_device_has_the_limit_of_its_node_and_ram_is_the_heads():
    got = team(THREE)
    budget = got.budget(truth.model(DENSE), team_wishes({}))
    assert budget.device_bytes == (*got.workers[0].limits, *got.workers[1].limits, *got.head.limits)
    assert (budget.unified, budget.remote) == (False, {0, 1, 2})
    assert 120 * GIB < budget.ram_bytes < 126 * GIB


def test_what_a_worker_has_in_its_ram_is_not_taken_from_the_heads():
    got = team({"a": node("nvidia-gb10", ram_gib=128), "b": node("nvidia-gb10", ram_gib=128)})
    budget = got.budget(truth.model(DENSE), team_wishes({}))
    assert (budget.unified, budget.remote) == (True, {0})
    assert not team({"a": node("nvidia-l4"), "b": node("nvidia-gb10")}).budget(truth.model(DENSE), team_wishes({})).unified


def test_only_an_image_of_ones_own_has_what_it_takes():
    assert team(THREE).backend.image is None
    assert "no ggml-rpc-server" in team(THREE).backend.no_image
    own = team(THREE, image="registry.example.com/llama:rpc").backend
    assert (own.image, own.no_image) == ("registry.example.com/llama:rpc", None)


def test_what_drives_a_device_is_its_own_nodes():
    got = team({"a": node("nvidia-l4"), "b": node("amd-rx-7900-xtx"), "c": node(ram_gib=64)})
    assert [got.backend.kind_of(gpu).overhead for gpu in got.node.gpus] == ["rocm", None, "cuda"]
