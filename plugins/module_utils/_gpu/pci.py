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
        path = f"{DEVICES}/{bus_id}"
        kind, vendor, device = (tree.number(f"{path}/{name}", 16) for name in ("class", "vendor", "device"))
        if kind is None or vendor is None or device is None or bus_address(bus_id) is None:
            continue
        card = Card(bus_id, f"{vendor:04x}", f"{device:04x}", tree.link_name(path + "/driver"))
        # AMD's Instinct cards are no display controllers since the MI300.
        classes = (_DISPLAY, _PROCESSING_ACCELERATOR) if card.vendor == AMD else (_DISPLAY,)
        if card.vendor in (NVIDIA, AMD, INTEL) and kind >> 16 in classes:
            found.append(card)
    return sorted(found, key=lambda card: bus_address(card.bus_id))
