# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much of each memory a plan may use, and what an allocation lacks."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .._units import GIB

DEFAULT_RESERVE_BYTES = GIB
"""Left free on each GPU: the driver's context and library workspaces lie outside llama.cpp's buffers (_hardware/overhead.py), other programs too."""


@dataclass(frozen=True)
class Shortfall:
    """C(missing_bytes) more than the budget of C(where) would be needed."""

    where: str
    missing_bytes: int


@dataclass(frozen=True)
class Budget:
    """Bytes that may be used on each device and in RAM.

    C(ram_beside_bytes): what the server takes in RAM beside its buffers there (_memory/host), which C(ram_bytes) leaves room for.
    C(unified): GPU and host draw on one memory, so both together must stay within the RAM's budget; but for the devices whose numbers are C(remote),
    which other machines have.
    C(device_bandwidths): of each device's memory, bytes per second; empty where not all are known.
    """

    device_names: tuple[str, ...]
    device_bytes: tuple[int, ...]
    ram_bytes: int
    unified: bool
    device_bandwidths: tuple[int, ...] = ()
    ram_beside_bytes: int = 0
    remote: frozenset[int] = frozenset()

    def in_ram_bytes(self, allocation):
        """What an allocation takes of the RAM: the host's buffers, and those of the GPUs that share it."""
        shared = (buffers.total_bytes for number, buffers in enumerate(allocation.devices) if self.unified and number not in self.remote)
        return allocation.host.total_bytes + sum(shared)

    def best_first(self):
        """Numbers of the devices from the fastest to the slowest, or from the largest budget to the smallest."""
        ranks = self.device_bandwidths or self.device_bytes
        return sorted(range(len(ranks)), key=lambda number: -ranks[number])

    def shortfalls(self, allocation):
        """Every memory in which C(allocation) needs more than it may use, worst first."""
        lacking = [
            Shortfall(name, buffers.total_bytes - limit)
            for name, limit, buffers in zip(self.device_names, self.device_bytes, allocation.devices, strict=True)
            if buffers.total_bytes > limit
        ]
        ram = self.in_ram_bytes(allocation)
        if ram > self.ram_bytes:
            lacking.append(Shortfall("RAM", ram - self.ram_bytes))
        return sorted(lacking, key=lambda shortfall: -shortfall.missing_bytes)

    def holds(self, allocation):
        return not self.shortfalls(allocation)


def budget_of(node, wishes, ram_beside_bytes=0, unsure_bytes=0):
    """The Budget of a Node under the Wishes: what is free less the reserve, or what the wishes grant of it.

    Weights in RAM count whole, also where they are pages of a file: what is read for each token has to stay there.
    C(unsure_bytes): left free on each GPU beside the reserve, unless the wishes say how much.
    """
    bandwidths = tuple(gpu.memory_bandwidth_bytes_per_second for gpu in node.gpus)
    return Budget(
        device_names=tuple(gpu.device for gpu in node.gpus),
        device_bytes=_of_devices(node.gpus, wishes, unsure_bytes),
        ram_bytes=max(node.memory_available_bytes - wishes.ram_reserve_bytes - ram_beside_bytes, 0),
        ram_beside_bytes=ram_beside_bytes,
        unified=any(gpu.unified_memory for gpu in node.gpus),
        device_bandwidths=bandwidths if all(bandwidths) else (),
    )


def _of_devices(gpus, wishes, unsure_bytes):
    """What is free less the reserve, and of that no more than the wishes grant."""
    granted = _for_each(wishes.budget_bytes, gpus, "budget_bytes")
    reserves = _for_each(wishes.reserve_bytes, gpus, "reserve_bytes")
    if reserves is None:
        reserves = (0 if granted else DEFAULT_RESERVE_BYTES + unsure_bytes,) * len(gpus)
    left = (max(gpu.memory_free_bytes - reserve, 0) for gpu, reserve in zip(gpus, reserves, strict=True))
    return tuple(map(min, left, granted)) if granted else tuple(left)


def _for_each(values, gpus, name):
    """One value for each GPU, None where none is given."""
    if values is None or not gpus:
        return values and ()
    if len(values) not in (1, len(gpus)):
        raise InfraError(
            "not one value for each GPU", where=f"llama_plan.{name}", got=f"{len(values)} values", expected=f"one value for all GPUs, or {len(gpus)}"
        )
    return values * len(gpus) if len(values) == 1 else values
