# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much of each memory a plan may use, and what an allocation lacks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shortfall:
    """C(missing_bytes) more than the budget of C(where) would be needed."""

    where: str
    missing_bytes: int


@dataclass(frozen=True)
class Budget:
    """Bytes that may be used on each device and in RAM: what is free, less the reserve.

    C(unified): GPU and host draw on one memory, so both together must stay within the RAM's budget.
    """

    device_names: tuple[str, ...]
    device_bytes: tuple[int, ...]
    ram_bytes: int
    unified: bool

    def shortfalls(self, allocation):
        """Every memory in which C(allocation) needs more than it may use, worst first."""
        lacking = [
            Shortfall(name, buffers.total_bytes - limit)
            for name, limit, buffers in zip(self.device_names, self.device_bytes, allocation.devices, strict=True)
            if buffers.total_bytes > limit
        ]
        ram = allocation.host.total_bytes
        if self.unified:
            ram += sum(buffers.total_bytes for buffers in allocation.devices)
        if ram > self.ram_bytes:
            lacking.append(Shortfall("RAM", ram - self.ram_bytes))
        return sorted(lacking, key=lambda shortfall: -shortfall.missing_bytes)

    def holds(self, allocation):
        return not self.shortfalls(allocation)


def budget_of(node, wishes):
    """The Budget of a Node under the reserves of the Wishes."""
    return Budget(
        device_names=tuple(gpu.device for gpu in node.gpus),
        device_bytes=tuple(max(gpu.memory_free_bytes - wishes.reserve_bytes, 0) for gpu in node.gpus),
        ram_bytes=max(node.memory_available_bytes - wishes.ram_reserve_bytes, 0),
        unified=any(gpu.unified_memory for gpu in node.gpus),
    )
