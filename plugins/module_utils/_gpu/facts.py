# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts of a node from all readers. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import asdict, replace

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import amdgpu, diagnosis, host, nvidia_smi, pci, system
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import bus_address
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

SCHEMA = 1


def gather(run, find, root="/"):
    """C(ansible_facts['gpu']).

    C(run) takes a command and gives (rc, out, err), C(find) gives the path of a program or None,
    C(root) is the directory that stands for / in /proc and /sys.
    """
    tree = Tree(root)
    memory = host.read(tree)
    cards = pci.cards(tree)
    nvidia = nvidia_smi.read(run, find)
    amd = amdgpu.read(tree, [card for card in cards if card.vendor == pci.AMD])
    devices = sorted((_with_memory(device, memory) for device in nvidia.devices + amd.devices), key=_bus_order)
    driver = nvidia.driver or amd.driver
    problems = _without_echo(nvidia.problems, cards) + diagnosis.unused_cards(cards, devices, find("nvidia-smi") is not None)
    return {
        "schema": SCHEMA,
        "devices": [dict(index=index, **asdict(device)) for index, device in enumerate(devices)],
        "driver": None if driver is None else asdict(driver),
        "platform": system.read(tree),
        "host": memory,
        "problems": [asdict(problem) for problem in problems],
    }


def _with_memory(device, memory):
    if not device.unified_memory:
        return device
    return replace(device, memory_total_bytes=memory["memory_total_bytes"], memory_free_bytes=memory["memory_available_bytes"])


def _bus_order(device):
    address = bus_address(device.pci_bus_id)
    return (address is None, address or ())


def _without_echo(problems, cards):
    """Where no NVIDIA card is driven by the nvidia module, sysfs says why: what nvidia-smi says of it is an echo of that."""
    drivers = [card.driver for card in cards if card.vendor == pci.NVIDIA]
    if not drivers or "nvidia" in drivers:
        return problems
    return tuple(problem for problem in problems if problem.code not in ("driver_not_loaded", "no_devices"))
