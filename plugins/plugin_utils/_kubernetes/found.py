# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a reader of labels or slices found, and the shape of a device (that of the facts of gpu_facts)."""

from __future__ import annotations

from dataclasses import dataclass, field

DEVICE_KEYS = (
    "uuid", "pci_bus_id", "vendor", "name", "usable", "architecture", "compute_capability", "gfx_target", "gpu_cores", "metal_family",
    "memory_total_bytes", "memory_free_bytes", "memory_reserved_bytes", "unified_memory", "display_attached", "mig", "virtual", "persistence_mode", "ecc",
    "pcie_generation", "pcie_width", "numa_node", "render_node", "device_group_ids",
)  # fmt: skip


@dataclass
class Found:
    """C(driver): {vendor, version, cuda_max}, None where nothing is told."""

    devices: list[dict] = field(default_factory=list)
    driver: dict | None = None
    problems: list[dict] = field(default_factory=list)

    def problem(self, code, message, fix):
        self.problems.append({"code": code, "message": message, "fix": fix})


@dataclass(frozen=True)
class Options:
    """C(divide): whether a GPU that is shared counts with the share of one; else it is left out.

    C(used_bytes): what is taken of each GPU that isn't told, None for what the table of GPUs says.
    """

    divide: bool = False
    used_bytes: int | None = None


def device(**known):
    """A device with None for what isn't told."""
    return {**dict.fromkeys(DEVICE_KEYS), "unified_memory": False, "usable": True, **known}
