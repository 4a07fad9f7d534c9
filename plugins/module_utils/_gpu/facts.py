# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts of a node from all readers. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import asdict, replace

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import (
    amdgpu,
    cdi,
    diagnosis,
    engines,
    host,
    nvidia_smi,
    pci,
    system,
    toolkit,
)
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import bus_address
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

SCHEMA = 1


def gather(programs, root="/"):
    """C(ansible_facts['gpu']). C(programs): see Programs; C(root) is the directory that stands for /."""
    tree = Tree(root)
    engines.start(programs)
    toolkit.start(tree, programs)
    memory = host.read(tree)
    cards = pci.cards(tree)
    nvidia = nvidia_smi.read(programs)
    amd = amdgpu.read(tree, [card for card in cards if card.vendor == pci.AMD])
    devices = sorted((_with_memory(device, memory) for device in nvidia.devices + amd.devices), key=_bus_order)
    driver = nvidia.driver or amd.driver
    platform, platform_problems = _platform(tree, programs, driver, devices)
    problems = _without_echo(nvidia.problems, cards) + diagnosis.unused_cards(cards, devices, programs.has("nvidia-smi")) + platform_problems
    return {
        "schema": SCHEMA,
        "devices": [dict(index=index, **asdict(device)) for index, device in enumerate(devices)],
        "driver": None if driver is None else asdict(driver),
        "platform": platform,
        "host": memory,
        "problems": [asdict(problem) for problem in problems],
    }


def _platform(tree, programs, driver, devices):
    """(the facts under C(platform), problems)."""
    found_engines = engines.read(tree, programs)
    found_toolkit, toolkit_problems = toolkit.read(tree, programs)
    nvidia = driver if driver is not None and driver.vendor == "nvidia" else None
    uuids = {device.uuid for device in devices} if nvidia else None
    specs, cdi_problems = cdi.read(tree, nvidia and nvidia.version, uuids, found_engines)
    return {**system.read(tree), "engines": found_engines, "toolkit": found_toolkit, "cdi": specs}, toolkit_problems + cdi_problems


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
