# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AMD's discrete GPUs from what the amdgpu driver shows in sysfs. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Driver, Findings, bus_address
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.pci import DEVICES

_NODES = "/sys/class/kfd/kfd/topology/nodes"

# Parts of a processor: what they show as video memory is only the firmware's carve-out of the RAM.
_INTEGRATED = frozenset("gfx902 gfx909 gfx90c gfx1013 gfx1033 gfx1035 gfx1036 gfx1037 gfx1103 gfx1150 gfx1151 gfx1152 gfx1153".split())


def read(tree, cards):
    """The devices among AMD's C(cards) that can be planned with; a card that isn't returned needs a reason elsewhere."""
    targets = _gfx_targets(tree)
    devices = []
    for card in cards:
        path = f"{DEVICES}/{card.bus_id}/"
        total, used = tree.number(path + "mem_info_vram_total"), tree.number(path + "mem_info_vram_used")
        target = targets.get(bus_address(card.bus_id))
        if card.driver != "amdgpu" or not total or used is None or target in _INTEGRATED:
            continue
        unique_id = tree.text(path + "unique_id")
        devices.append(
            Device(
                uuid="GPU-" + unique_id if unique_id else None,
                pci_bus_id=card.bus_id,
                vendor="amd",
                name=tree.text(path + "product_name") or "AMD GPU " + card.ids,
                architecture=None,
                compute_capability=None,
                gfx_target=target,
                memory_total_bytes=total,
                memory_free_bytes=max(0, total - used),
                unified_memory=False,
                display_attached=None,
            )
        )
    # Only the driver built outside the kernel has a version of its own.
    driver = Driver("amd", tree.text("/sys/module/amdgpu/version") or None, None) if devices else None
    return Findings(tuple(devices), driver)


def _gfx_targets(tree):
    """PCI address -> gfx target from the topology of the kernel's compute driver."""
    targets = {}
    for node in tree.names(_NODES):
        properties = {}
        for line in (tree.text(f"{_NODES}/{node}/properties") or "").splitlines():
            key, _blank, value = line.partition(" ")
            if value.isdecimal():
                properties[key] = int(value)
        version, location = properties.get("gfx_target_version", 0), properties.get("location_id", 0)
        if version and location:
            address = (properties.get("domain", 0), location >> 8, location >> 3 & 0x1F, location & 7)
            # Decimal pairs; the minor version and the stepping are written in hexadecimal: 90010 is gfx90a.
            targets[address] = f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
    return targets
