# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Intel's GPUs: from sysfs where the driver shows their memory there, else from xpu-smi. Private: not an interface for other collections.

What the driver shows of the memory comes first, then what xpu-smi tells, then what intel_memory.py concludes.
"""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import intel_memory, pci, pci_names
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Findings, Problem, bus_name

# Arc graphics in a Core Ultra 200V: the one part of a processor that the table of GPUs has.
_SHARING_RAM = frozenset({"64a0"})
# Level Zero gives out half of the RAM.
_SHARE = 2


def read(tree, programs, cards, memory):
    """The devices among Intel's C(cards), and a problem for each with memory of its own that nothing tells. C(memory): the facts under C(host)."""
    driven = [card for card in cards if card.driver in pci.DRIVERS[pci.INTEL]]
    shared = (None, (memory["memory_total_bytes"] or 0) // _SHARE)
    devices = [_device(tree, card, {}, shared) for card in driven if card.device in _SHARING_RAM]
    problems = []
    own = [card for card in driven if _discrete(card)]
    asked = _xpu_smi(programs) if any(not intel_memory.is_told(tree, card) for card in own) else {}
    for card in own:
        row = asked.get(card.bus_id, {})
        told = None if intel_memory.is_told(tree, card) else _told_memory(row)
        memory = told or intel_memory.read(tree, card)
        problems += [] if memory else [_unknown(card)]
        devices.append(_device(tree, card, row, memory))
    return Findings(tuple(devices), problems=tuple(problems))


def _discrete(card):
    """The graphics of a processor are on the first bus, by the name of the first display."""
    return not card.bus_id.endswith(":00:02.0")


def _told_memory(row):
    try:
        total = int(row["memory_physical_size_byte"])
        # Without the figure, all of it: a card that only computes has nothing else to do.
        return (total, min(int(row.get("memory_free_size_byte", total)), total)) if total > 0 else None
    except (KeyError, TypeError, ValueError):
        return None


def _xpu_smi(programs):
    """PCI address -> what xpu-smi tells of a device."""
    found = {}
    for row in _rows(programs, "discovery", "-j").get("device_list") or ():
        if isinstance(row, dict) and isinstance(row.get("device_id"), int):
            detail = _rows(programs, "discovery", "-d", str(row["device_id"]), "-j")
            found[bus_name(str(row.get("pci_bdf_address")))] = {**row, **detail}
    return found


def _rows(programs, *arguments):
    try:
        answer = json.loads(programs.run("xpu-smi", *arguments)[1])
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _device(tree, card, row, memory):
    # C(memory): (None, what it may have) for a GPU in the RAM, None where nothing tells.
    name = pci_names.name(card) or row.get("device_name") or "Intel GPU " + card.ids
    return Device(
        uuid=None,
        pci_bus_id=card.bus_id,
        vendor="intel",
        name=str(name),
        memory_total_bytes=memory and memory[0],
        memory_free_bytes=memory and memory[1],
        unified_memory=memory is not None and memory[0] is None,
        usable=memory is not None,
        display_attached=pci.display_attached(tree, card.bus_id),
    )


def _unknown(card):
    message = f"the memory of the Intel GPU at PCI {card.bus_id} ({pci_names.name(card) or card.ids}) is told by no file and no program here"
    return Problem("intel_memory_unknown", message, "Install Intel XPU Manager (xpu-smi), or describe the node by hand with the GPU's model.")
