# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the readers return. Private: not an interface for other collections."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """One GPU; None where its source doesn't tell.

    The memory figures of a device with unified_memory are those of the host, which its reader doesn't know: it leaves
    them None and the merge fills them in. A reader that knows a limit on what is free of it gives that as memory_free_bytes.
    C(usable): whether it can be planned with; else a problem says why not.
    """

    uuid: str | None
    pci_bus_id: str | None
    vendor: str
    name: str
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    unified_memory: bool
    architecture: str | None = None
    compute_capability: str | None = None
    gfx_target: str | None = None
    display_attached: bool | None = None
    mig: dict | None = None
    virtual: bool | None = None
    persistence_mode: bool | None = None
    ecc: bool | None = None
    pcie_generation: int | None = None
    pcie_width: int | None = None
    numa_node: int | None = None
    usable: bool = True
    memory_reserved_bytes: int | None = None
    gpu_cores: int | None = None
    metal_family: str | None = None
    render_node: str | None = None
    device_group_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something about a GPU that keeps it from being used, and how to mend it."""

    code: str
    message: str
    fix: str


@dataclass(frozen=True)
class Findings:
    """What one reader of devices found.

    C(divided): GPUs that are there as their MIG instances only.
    """

    devices: tuple[Device, ...] = ()
    driver_version: str | None = None
    cuda_max: str | None = None
    library_version: str | None = None
    problems: tuple[Problem, ...] = ()
    divided: tuple[Device, ...] = ()


_BUS_ID = re.compile(r"([0-9a-fA-F]{4,8}):([0-9a-fA-F]{2}):([0-9a-fA-F]{2})\.([0-7])")


def bus_address(bus_id):
    """C(bus_id) as (domain, bus, device, function), None where it is no PCI address."""
    match = _BUS_ID.fullmatch(bus_id or "")
    return None if match is None else tuple(int(part, 16) for part in match.groups())


def bus_name(bus_id):
    """C(bus_id) as sysfs writes it: NVIDIA's tools write eight digits of domain in capitals, sysfs four in small letters."""
    address = bus_address(bus_id)
    return None if address is None else "{:04x}:{:02x}:{:02x}.{:x}".format(*address)
