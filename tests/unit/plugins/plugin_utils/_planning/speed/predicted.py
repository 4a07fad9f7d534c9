# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the model of speed says to a Measurement."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.estimate import Estimate, Request
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.throughput import throughput
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3


def node_with(gpus, ram=None, **more):
    """The Node of ids of GPUs and bytes per second of RAM."""
    described = {"gpus": [{"model": gpu} for gpu in gpus], "ram_bytes": 512 * GIB, **more}
    if ram:
        described["ram_bandwidth_bytes_per_second"] = ram
    if len(gpus) == 1 and gpus[0].startswith(("apple", "nvidia-gb10")):
        described["ram_bytes"] = 128 * GIB
    return node_from_plain(described)


def throughput_of(name, node, **settings):
    """C(throughput) of the model C(name) on a Node under settings of llama-server."""
    model = truth.model(f"{name}.gguf")
    devices = tuple(Device(gpu.device, gpu.memory_free_bytes) for gpu in node.gpus)
    resolved = resolve({"parallel": 1, "gpu_layers": "all", **settings}, model)
    allocation = allocate(model, resolved, devices)
    return throughput(Estimate(model, node, devices, Request(16384, 1024)), allocation, node)


def predicted(measurement):
    context = {"ctx_size": max(measurement.context, 512)}
    return throughput_of(measurement.model, node_with(measurement.gpus, measurement.ram), **context, **measurement.settings)[measurement.what]
