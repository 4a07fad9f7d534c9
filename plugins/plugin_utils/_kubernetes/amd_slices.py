# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AMD GPUs from the ResourceSlices of AMD's DRA driver.

https://github.com/ROCm/k8s-gpu-dra-driver/blob/main/docs/driver-attributes.md. A memory of 0 is one that couldn't be read. With automatic partitions a GPU is
listed once for each way to divide it: it counts once, as the whole that it is until someone divides it.
"""

from __future__ import annotations

import re

from .amd import VENDOR, name_of, refuse_memory
from .found import Found
from .known import add_devices, model_of_label
from .slices import refuse_tainted

WHOLE, PARTITION = "amdgpu", "amdgpu-partition"
_DEVICE_ID = re.compile(r"0x([0-9a-fA-F]{4})")


def read(node, options, devices):
    """Found for a NodeObject and the Devices of its slices."""
    found = Found()
    for device in devices:
        kind, address = device.text("type") or WHOLE, device.text("pciBusID", "pciAddr")
        # Neither passed through to a virtual machine nor a way to divide it that could be taken.
        if kind not in (WHOLE, PARTITION) or (device.text("computePartition") and kind == PARTITION):
            continue
        if refuse_tainted(found, device, address):
            continue
        told, device_id = device.text("productName"), _DEVICE_ID.fullmatch(device.text("deviceID") or "")
        name = name_of(told, device_id and device_id.group(1).lower())
        memory = device.memory or None
        # The table has whole GPUs: of a part it would tell too much.
        model = model_of_label(VENDOR, name, memory) if name and kind == WHOLE else None
        if refuse_memory(found, 1, told or device.name, model, memory):
            continue
        part = f" partition {device.text('partitionProfile') or device.name}" if kind == PARTITION else ""
        add_devices(
            found, node, options, 1, f"{name or told or device.name}{part}", model, memory,
            vendor=VENDOR, pci_bus_id=address, numa_node=device.number("numaNode"),
        )  # fmt: skip
        if found.driver is None:
            found.driver = {"vendor": VENDOR, "version": device.text("driverVersionFull", "driverVersion"), "cuda_max": None}
    return found
