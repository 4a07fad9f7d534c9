# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AMD's GPUs from what the amdgpu driver shows in sysfs. Private: not an interface for other collections.

The kernel documents the files (Documentation/gpu/amdgpu/driver-misc.rst). amd-smi, or rocm-smi of older releases, is only asked
for what is missing there: both take a second to start.
"""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import pci, pci_names
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Findings, bus_address

_NODES = "/sys/class/kfd/kfd/topology/nodes"

# Parts of a processor that llama.cpp runs well on. They work in the RAM, through the GTT; what they show as video memory
# is what the firmware set aside.
_INTEGRATED = frozenset("gfx1035 gfx1103 gfx1150 gfx1151 gfx1152 gfx1153".split())
# Those that are there for the desktop only.
_TOO_SMALL = frozenset("gfx902 gfx909 gfx90c gfx1013 gfx1033 gfx1036 gfx1037".split())


def read(tree, programs, cards):
    """The devices among AMD's C(cards) that can be planned with; a card that isn't returned needs a reason elsewhere."""
    targets = _gfx_targets(tree)
    usable = [card for card in cards if card.driver in pci.DRIVERS[pci.AMD] and targets.get(bus_address(card.bus_id)) not in _TOO_SMALL]
    told = {}
    if any(bus_address(card.bus_id) not in targets or _name(tree, card) is None for card in usable):
        told = _asked(programs)
    devices = []
    for card in usable:
        address = bus_address(card.bus_id)
        target = targets.get(address) or told.get(address, {}).get("gfx_target")
        memory = None if target in _TOO_SMALL else _memory(tree, card, target)
        if memory is None:
            continue
        total, free = memory
        unique_id = tree.text(f"{pci.DEVICES}/{card.bus_id}/unique_id")
        devices.append(
            Device(
                uuid="GPU-" + unique_id if unique_id else None,
                pci_bus_id=card.bus_id,
                vendor="amd",
                name=_name(tree, card) or told.get(address, {}).get("name") or "AMD GPU " + card.ids,
                gfx_target=target,
                memory_total_bytes=total,
                memory_free_bytes=free,
                unified_memory=total is None,
                display_attached=pci.display_attached(tree, card.bus_id),
            )
        )
    # Only the driver built outside the kernel has a version of its own.
    return Findings(tuple(devices), driver_version=tree.text("/sys/module/amdgpu/version") or None if devices else None)


def _name(tree, card):
    return tree.text(f"{pci.DEVICES}/{card.bus_id}/product_name") or pci_names.name(card)


def _memory(tree, card, target):
    """(total, free) bytes; (None, what is left of the GTT) for a GPU in the RAM; None where the driver doesn't tell."""
    names = ("vram_total", "vram_used", "gtt_total", "gtt_used")
    total, used, gtt_total, gtt_used = (tree.number(f"{pci.DEVICES}/{card.bus_id}/mem_info_{name}") for name in names)
    if not total or used is None:
        return None
    if target not in _INTEGRATED or gtt_total is None or gtt_used is None:
        return total, max(0, total - used)
    if total >= gtt_total:
        # Most of the memory was set aside for it: that isn't RAM of the system any more, and is all its own.
        return total, max(0, total - used)
    return None, max(0, gtt_total - gtt_used)


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


def _asked(programs):
    """PCI address -> name and gfx target, from amd-smi, else from rocm-smi."""
    answer = _json(programs, "amd-smi", "static", "--asic", "--bus", "--json")
    # A list until ROCm 6, in gpu_data since ROCm 7.
    rows = answer.get("gpu_data") if isinstance(answer, dict) else answer
    found = {}
    for row in rows if isinstance(rows, list) else ():
        asic, bus = (row.get(key) if isinstance(row, dict) and isinstance(row.get(key), dict) else {} for key in ("asic", "bus"))
        found[bus_address(_text(bus.get("bdf")))] = {"name": _text(asic.get("market_name")), "gfx_target": _text(asic.get("target_graphics_version"))}
    if not found:
        answer = _json(programs, "rocm-smi", "--showproductname", "--showbus", "--json")
        for row in answer.values() if isinstance(answer, dict) else ():
            if isinstance(row, dict):
                name, target = _text(row.get("Card Series") or row.get("Card series")), _text(row.get("GFX Version"))
                found[bus_address(_text(row.get("PCI Bus")))] = {"name": name, "gfx_target": target}
    return {address: facts for address, facts in found.items() if address is not None}


def _json(programs, *command):
    """What a program prints as JSON, after the warnings that some releases print before it."""
    out = programs.run(*command)[1]
    starts = [at for at in (out.find("{"), out.find("[")) if at >= 0]
    try:
        return json.loads(out[min(starts) :]) if starts else None
    except ValueError:
        return None


def _text(value):
    """A text that says something, else None."""
    return value if isinstance(value, str) and value not in ("", "N/A") else None
