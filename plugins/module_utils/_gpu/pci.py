# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graphics cards on the PCI bus, with a driver or without. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import bus_address

NVIDIA, AMD, INTEL = "10de", "1002", "8086"
VENDORS = {NVIDIA: "nvidia", AMD: "amd", INTEL: "intel"}
DRIVERS = {NVIDIA: ("nvidia",), AMD: ("amdgpu",), INTEL: ("i915", "xe")}
"""The drivers of the vendors themselves, which programs for the GPU need."""

_GENERATIONS = {"2.5": 1, "5": 2, "5.0": 2, "8": 3, "8.0": 3, "16.0": 4, "32.0": 5, "64.0": 6}
DEVICES = "/sys/bus/pci/devices"
_DISPLAY, _PROCESSING_ACCELERATOR = 0x03, 0x12


@dataclass(frozen=True)
class Card:
    """One card; C(driver) is the kernel driver bound to it."""

    bus_id: str
    vendor: str
    device: str
    driver: str | None
    revision: str | None = None

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
            revision = tree.number(f"{DEVICES}/{bus_id}/revision", 16) if vendor == AMD else None
            found.append(Card(bus_id, vendor, device, told.get("DRIVER"), None if revision is None else f"{revision:02x}"))
    return sorted(found, key=lambda card: bus_address(card.bus_id))


def link(tree, bus_id):
    """(PCIe generation, lanes): the most that the card and everything between it and the processor can. None for what isn't told."""
    generations, widths = [], []
    for place in (bus_id, *_bridges(tree, bus_id)):
        speed = (tree.text(f"{DEVICES}/{place}/max_link_speed") or "").partition(" ")[0]
        width = tree.number(f"{DEVICES}/{place}/max_link_width")
        generations += [_GENERATIONS[speed]] if speed in _GENERATIONS else []
        # What has no link says 0 or 255.
        widths += [width] if width and width <= 32 else []
    return min(generations, default=None), min(widths, default=None)


def _bridges(tree, bus_id):
    """The bridges over a device: sysfs has each device in the directory of the bridge before it."""
    path = (tree.link(f"{DEVICES}/{bus_id}") or "").split("/")[:-1]
    return [part for part in path if bus_address(part) is not None]


def numa_node(tree, bus_id):
    """The NUMA node that a device is nearest to, None on a system that has none."""
    node = tree.number(f"{DEVICES}/{bus_id}/numa_node")
    return node if node is not None and node >= 0 else None


def display_attached(tree, bus_id):
    """Whether a display is connected to one of the card's ports, None where the driver shows no ports."""
    states = [
        tree.text(f"{DEVICES}/{bus_id}/drm/{card}/{port}/status")
        for card in tree.names(f"{DEVICES}/{bus_id}/drm")
        if card.startswith("card")
        for port in tree.names(f"{DEVICES}/{bus_id}/drm/{card}")
        if port.startswith(card + "-")
    ]
    states = [state for state in states if state is not None]
    return "connected" in states if states else None
