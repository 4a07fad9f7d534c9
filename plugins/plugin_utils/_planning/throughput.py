# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one generated token reads from each memory, and from that the most tokens per second.

A token reads every weight that works on it once (of the experts only those used) and the cache in use; the input layer
is a look-up of one row. The rate is a bound by memory bandwidth alone; it is given where the bandwidth is known.
"""

from __future__ import annotations

from .._memory.devices import HOST
from .._memory.weights import EXPERTS, INPUT, placed_tensors


def decode(model, node, devices, allocation):
    """A plain dictionary: bytes per token on each device and on the host, the rate they allow, and what bounds it."""
    bytes_read = [0] * (len(devices) + 1)
    experts = model.integer("expert_count", 0)
    share = model.n_expert_used / experts if experts else 1
    for device, size, group, _block in placed_tensors(model, allocation.settings, devices, allocation.layout):
        if group.name in INPUT and device == HOST:
            continue
        bytes_read[device] += int(size * share) if EXPERTS.search(group.name) else size
    for number, buffers in enumerate((*allocation.devices, allocation.host)):
        bytes_read[number if number < len(devices) else HOST] += buffers.kv_bytes // 2
    names = [device.name for device in devices] + ["RAM"]
    bandwidths = [gpu.memory_bandwidth_bytes_per_second for gpu in node.gpus] + [node.memory_bandwidth_bytes_per_second]
    return {"bytes_per_token": dict(zip(names, bytes_read, strict=True)), **_rate(names, bytes_read, bandwidths)}


def _rate(names, bytes_read, bandwidths):
    """Memories are read one after another, so their times add up."""
    seconds = {}
    for name, size, bandwidth in zip(names, bytes_read, bandwidths, strict=True):
        if size and not bandwidth:
            return {"tokens_per_second_at_most": None, "bound_by": None}
        if size:
            seconds[name] = size / bandwidth
    if not seconds:
        return {"tokens_per_second_at_most": None, "bound_by": None}
    return {"tokens_per_second_at_most": round(1 / sum(seconds.values()), 1), "bound_by": max(seconds, key=seconds.get)}
