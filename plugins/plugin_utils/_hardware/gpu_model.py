# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One GPU as the table knows it."""

from __future__ import annotations

from dataclasses import dataclass

from .._units import GIB, MIB
from .link import Link

GB = 1_000_000_000
TERA = 1_000_000_000_000


@dataclass(frozen=True)
class GpuModel:
    """A GPU by the name that its driver gives it.

    C(memory_sizes_bytes): what it is sold with, as the label says (a GB of it is a GiB).
    C(memory_total_bytes): what its driver reports, which is less. None for one that shares the RAM and is sold with several sizes.
    C(memory_free_bytes): what is free of it on an idle machine without a display. None for one that shares the RAM.
    C(memory_seen): the total was seen in reports of the driver's tool; else it is estimated as C(memory_source) says.
    C(units): multiprocessors (NVIDIA), compute units (AMD), Xe cores (Intel), GPU cores (Apple).
    C(matrix_flops): multiplications of FP16 matrices, dense, accumulated in FP32 where the hardware tells that apart;
    of a GPU without matrix units its best FP16 or FP32 rate. C(int8_ops): the same of INT8, None where not known.
    C(link): the way to the RAM, None for a GPU that shares it.
    """

    id: str
    name: str
    vendor: str
    memory_sizes_bytes: tuple[int, ...]
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    memory_seen: bool
    memory_bandwidth_bytes_per_second: int
    units: int
    matrix_flops: int
    int8_ops: int | None
    link: Link | None
    compute_capability: str | None
    gfx_target: str | None
    unified_memory: bool
    source: str
    memory_source: str
    aliases: tuple[str, ...] = ()

    @property
    def pcie_bytes_per_second(self):
        """One direction, theoretical (link.py); a GPU that shares the RAM reads and writes the same memory for a copy: half its bandwidth."""
        return self.memory_bandwidth_bytes_per_second // 2 if self.link is None else self.link.bytes_per_second


def gib(*sizes):
    return tuple(size * GIB for size in sizes)


def mib(size):
    return None if size is None else size * MIB


def rate(units, per_unit_and_clock, mhz):
    """Operations per second of C(units) at C(mhz)."""
    return units * per_unit_and_clock * mhz * 1_000_000
