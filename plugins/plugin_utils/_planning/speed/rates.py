# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast a node's memories, its bus and its cores are: as it says, and what llama.cpp makes of that.

The shares are fitted to published measurements, which tests/unit/plugins/plugin_utils/_planning/speed/measurements.py lists with their links.
Where a node doesn't say how fast it is, the figures below stand in, and the plan names them.
"""

from __future__ import annotations

from dataclasses import dataclass

GPU_BYTES_PER_SECOND = 400 * 10**9
RAM_BYTES_PER_SECOND = 60 * 10**9
"""Two channels of DDR4-3733, or of slow DDR5."""

BUS_BYTES_PER_SECOND = 31_508 * 10**6
"""PCIe 4.0 with sixteen lanes (_hardware/link.py)."""

GPU_OPERATIONS_PER_SECOND = 60 * 10**12
CPU_OPERATIONS_PER_RAM_BYTE = 6
"""Cores and channels grow together: what a processor computes of a prompt, for each byte that its RAM delivers. An estimate, right within a factor of two."""

RAM_SHARE, CPU_SHARE = 0.6, 0.5
CPU_BLOCK_SECONDS = 50e-6

PINNED_SHARE, MAPPED_SHARE = 0.8, 0.4
"""Of the bus, for a copy from pinned memory and from a mapped file (_hardware/link.py: Link)."""

EXPERT_WAITING = 1.5
"""A block with experts has this many times the kernels of another."""

CHANGE_SECONDS = 100e-6
"""One change between GPU and CPU within a token: a copy and a wait. A block with experts in RAM has two."""


CPU = "cpu"
"""The vendor of a device that is another machine's CPU (multi_node)."""

OF_HOST = {"RAM": "RAM memory_bandwidth_bytes_per_second", "CPU compute": "cpu_flops"}
OF_DEVICE = {"memory": "memory_bandwidth_bytes_per_second", "compute": "matrix_flops"}


@dataclass(frozen=True)
class Shares:
    """What llama.cpp reaches on one vendor's GPUs.

    C(memory): of the memory's bandwidth, reading weights. C(matrix): of the FP16 matrix rate, on a prompt in batches of 512.
    C(block_seconds): what a block adds to a token whatever its size: kernels are started and wait for each other (EXPERT_WAITING: more of them).
    C(unit_operations): no multiprocessor was seen to do more, however fast its matrix units are: llama.cpp has no kernels for the newest of them.
    """

    memory: float
    matrix: float
    block_seconds: float
    unit_operations: float | None = None


SHARES = {
    "nvidia": Shares(0.8, 0.7, 40e-6, 0.85e12),
    "amd": Shares(0.65, 0.35, 40e-6),
    "apple": Shares(0.75, 0.65, 120e-6),
    # no measurement of a whole token was at hand: an estimate
    "intel": Shares(0.5, 0.25, 80e-6),
    CPU: Shares(RAM_SHARE, CPU_SHARE, CPU_BLOCK_SECONDS),
}


@dataclass(frozen=True)
class Rates:
    """Per second, for each device and, last, for the host: C(peak_...) what the hardware has, the others what is expected of llama.cpp.

    C(assumed): {what: the figure taken} for what the node doesn't say.
    """

    names: tuple[str, ...]
    peak_memory: tuple[float, ...]
    memory: tuple[float, ...]
    peak_matrix: tuple[float, ...]
    matrix: tuple[float, ...]
    block_seconds: tuple[float, ...]
    peak_bus: float
    assumed: dict[str, int]

    def resting_on(self, spent_on):
        """The part of C(assumed) that times spent on these (phases.py) rest on."""
        keys = {self._key(what) for what in spent_on}
        return {key: value for key, value in self.assumed.items() if key in keys}

    def _key(self, what):
        if what == "PCIe":
            return f"{self.names[0]} pcie_bytes_per_second"
        name, _space, kind = what.partition(" ")
        return OF_HOST[what] if what in OF_HOST else f"{name} {OF_DEVICE.get(kind)}"


def rates_of(node):
    """The Rates of a Node."""
    assumed = {}

    def known(value, default, what):
        if value:
            return value
        assumed[what] = default
        return default

    memory = [known(gpu.memory_bandwidth_bytes_per_second, _memory_of(gpu), f"{gpu.device} memory_bandwidth_bytes_per_second") for gpu in node.gpus]
    matrix = [known(gpu.matrix_flops, _matrix_of(gpu, rate), f"{gpu.device} matrix_flops") for gpu, rate in zip(node.gpus, memory, strict=True)]
    bus = BUS_BYTES_PER_SECOND
    if node.gpus:
        first = node.gpus[0]
        bus = known(first.pcie_bytes_per_second, BUS_BYTES_PER_SECOND, f"{first.device} pcie_bytes_per_second")
    ram = known(node.memory_bandwidth_bytes_per_second, RAM_BYTES_PER_SECOND, "RAM memory_bandwidth_bytes_per_second")
    cpu = known(node.cpu_flops, _cpu_operations(ram), "cpu_flops")
    shares = [SHARES[gpu.vendor] for gpu in node.gpus]
    return Rates(
        names=(*(gpu.device for gpu in node.gpus), "RAM"),
        peak_memory=(*memory, ram),
        memory=(*(rate * share.memory for rate, share in zip(memory, shares, strict=True)), ram * RAM_SHARE),
        peak_matrix=(*matrix, cpu),
        matrix=(*(_attained(gpu, rate, share) for gpu, rate, share in zip(node.gpus, matrix, shares, strict=True)), cpu * CPU_SHARE),
        block_seconds=(*(share.block_seconds for share in shares), CPU_BLOCK_SECONDS),
        peak_bus=bus,
        assumed=assumed,
    )


def _memory_of(gpu):
    return RAM_BYTES_PER_SECOND if gpu.vendor == CPU else GPU_BYTES_PER_SECOND


def _matrix_of(gpu, bytes_per_second):
    return _cpu_operations(bytes_per_second) if gpu.vendor == CPU else GPU_OPERATIONS_PER_SECOND


def _cpu_operations(ram_bytes_per_second):
    return int(ram_bytes_per_second * CPU_OPERATIONS_PER_RAM_BYTE / CPU_SHARE)


def _attained(gpu, matrix_flops, share):
    attained = matrix_flops * share.matrix
    return min(attained, gpu.units * share.unit_operations) if share.unit_operations and gpu.units else attained
