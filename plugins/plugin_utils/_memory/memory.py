# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that llama.cpp allocates for one model, with given settings, on given devices."""

from __future__ import annotations

from dataclasses import dataclass

from .cache import families
from .compute import compute
from .devices import HOST
from .layout import Layout, layout
from .settings import Settings
from .weights import held_by_block


@dataclass(frozen=True)
class Buffers:
    """Bytes in the buffers of one device or of the host."""

    weights_bytes: int
    kv_bytes: int
    compute_bytes: int

    @property
    def total_bytes(self):
        return self.weights_bytes + self.kv_bytes + self.compute_bytes


@dataclass(frozen=True)
class Allocation:
    """Buffers of every device, in the order asked, and of the host; and the layout they come from."""

    settings: Settings
    layout: Layout
    devices: tuple[Buffers, ...]
    host: Buffers


def allocate(model, settings, devices, compute_bytes=None):
    """The Allocation of a Model with Settings on a tuple of Device.

    C(compute_bytes): the compute buffers of each device and, last, of the host, where they are known already: they are most of the work.
    Raises InfraError for an architecture or a combination whose rule is not written.
    """
    where = layout(model, settings, devices)
    held = held_by_block(model, settings, devices, where)
    weights_bytes = [0] * (len(devices) + 1)
    for tensors in held.values():
        for device, size in tensors.bytes_on.items():
            weights_bytes[device] += size
    kv_bytes = [0] * (len(devices) + 1)
    for block, size in enumerate(families.cache(model, settings)):
        kv_bytes[where.blocks[block] if settings.kv_offload else HOST] += size
    if compute_bytes is None:
        compute_bytes = compute(model, settings, devices, where, held)
    buffers = [Buffers(*parts) for parts in zip(weights_bytes, kv_bytes, compute_bytes, strict=True)]
    return Allocation(settings=settings, layout=where, devices=tuple(buffers[:-1]), host=buffers[-1])
