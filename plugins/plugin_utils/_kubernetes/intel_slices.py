# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Intel GPUs from the ResourceSlices of Intel's DRA driver.

cmd/kubelet-gpu-plugin/node_state.go of https://github.com/intel/intel-resource-drivers-for-kubernetes. Older releases have the PCI identity in the name of the
device only (0000-03-00-0-0x56a0). A memory of 0 is that of a GPU without memory of its own, or one that couldn't be read.
"""

from __future__ import annotations

import re

from .found import Found
from .intel import VENDOR, model_of_device_id
from .known import add_devices
from .slices import refuse_tainted

_NAME = re.compile(r"([0-9a-f]{4})-([0-9a-f]{2})-([0-9a-f]{2})-([0-7])-0x([0-9a-f]{4})")
_DEVICE_ID = re.compile(r"0x([0-9a-f]{4})")
UNKNOWN = "Unknown"


def read(node, options, devices):
    """Found for a NodeObject and the Devices of its slices."""
    found = Found()
    for device in devices:
        named, told = _NAME.fullmatch(device.name), _DEVICE_ID.fullmatch(device.text("pciId") or "")
        address = device.text("pciBusID", "pciAddress") or (named and "{}:{}:{}.{}".format(*named.groups()[:4]))
        device_id = told.group(1) if told else named and named.group(5)
        if refuse_tainted(found, device, address):
            continue
        memory = device.memory or None
        product = " ".join(text for text in (device.text("family"), device.text("model")) if text and text != UNKNOWN)
        add_devices(
            found, node, options, 1, product or device_id or device.name, model_of_device_id(device_id, memory), memory,
            vendor=VENDOR, pci_bus_id=address,
        )  # fmt: skip
        found.driver = {"vendor": VENDOR, "version": None, "cuda_max": None}
    return found
