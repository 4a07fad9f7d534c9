# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain

GIB = 1024**3


def test_devices_are_named_as_llama_cpp_names_them(facts):
    node = node_from_plain(facts(8, 24))
    assert [(gpu.device, gpu.memory_free_bytes // GIB) for gpu in node.gpus] == [("CUDA0", 8), ("CUDA1", 24)]
    assert [gpu.device for gpu in node_from_plain(facts(8, vendor="amd")).gpus] == ["ROCm0"]


def test_the_vendor_with_the_most_memory_is_used(facts):
    mixed = facts(8, 8)
    mixed["devices"] += facts(24, vendor="amd", uuid="other")["devices"]
    node = node_from_plain(mixed)
    assert [gpu.device for gpu in node.gpus] == ["ROCm0"]
    assert node.ignored_gpus == ("GPU 0", "GPU 1")


def test_a_node_without_gpus(facts):
    assert node_from_plain(facts()).gpus == ()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"device": []}, "node: unknown key 'device'"),
        ({"host": None}, "the node's 'host' is missing"),
        ({"host": {}}, "node.host: 'memory_total_bytes' is missing"),
        ({"devices": {}}, None),
        ({"devices": "none"}, "node.devices: not a list"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 0}]}, "node.devices[0].memory_total_bytes: a GPU without memory"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": -1}]}, "node.devices[0].memory_total_bytes: too small"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1, "memory_free_bytes": 2}]}, "more free memory than there is"),
        ({"devices": [{"memory_total_bytes": 1}]}, "the GPU's vendor is missing"),
        ({"devices": [{"vendor": "nvidia", "memory_total_byte": 1}]}, "Did you mean 'memory_total_bytes'?"),
        ({"devices": [{"vendor": "nvidia"}]}, "node.devices[0]: 'memory_total_bytes' is missing"),
        ({"host": {"memory": 1}}, "node.host: unknown key 'memory'"),
        ({"devices": [{"vendor": "nvidia", "uuid": "x", "memory_total_bytes": 1}] * 2}, "two GPUs have the same uuid"),
        ({"devices": [7]}, "node.devices[0]: not a GPU"),
    ],
)
def test_a_malformed_node_is_refused(facts, change, message):
    node = {**facts(), **change}
    if message is None:
        assert node_from_plain(node).gpus == ()
        return
    with pytest.raises(InfraError) as error:
        node_from_plain(node)
    assert message in str(error.value)
