# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graphics cards on the PCI bus, with a driver or without. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import bus_address

NVIDIA, AMD, INTEL = "10de", "1002", "8086"
DEVICES = "/sys/bus/pci/devices"
_DISPLAY, _PROCESSING_ACCELERATOR = 0x03, 0x12


@dataclass(frozen=True)
class Card:
    """One card; C(driver) is the kernel driver bound to it."""

    bus_id: str
    vendor: str
    device: str
    driver: str | None

    @property
    def ids(self):
        """Vendor and device as C(lspci -n) writes them."""
        return f"{self.vendor}:{self.device}"


def cards(tree):
    """The cards of the vendors that make GPUs, in bus order; a server's management display is of no interest."""
    found = []
    for bus_id in tree.names(DEVICES):
        # One file tells all of it, and the driver without a link to follow.
        told = dict(line.split("=", 1) for line in (tree.text(f"{DEVICES}/{bus_id}/uevent") or "").splitlines() if "=" in line)
        try:
            kind, (vendor, device) = int(told["PCI_CLASS"], 16), told["PCI_ID"].lower().split(":")
        except (KeyError, ValueError):
            continue
        # AMD's Instinct cards are no display controllers since the MI300.
        classes = (_DISPLAY, _PROCESSING_ACCELERATOR) if vendor == AMD else (_DISPLAY,)
        if bus_address(bus_id) is not None and vendor in (NVIDIA, AMD, INTEL) and kind >> 16 in classes:
            found.append(Card(bus_id, vendor, device, told.get("DRIVER")))
    return sorted(found, key=lambda card: bus_address(card.bus_id))
