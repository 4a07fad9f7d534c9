# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts of a node from all readers. Private: not an interface for other collections."""

from __future__ import annotations

import os
from dataclasses import asdict, replace

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import (
    amdgpu,
    apple,
    bandwidth,
    cdi,
    device_files,
    diagnosis,
    driver,
    engines,
    host,
    intel,
    nvidia_proc,
    nvidia_smi,
    nvml,
    pci,
    system,
    tegra,
    toolkit,
)
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Findings, bus_address
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

SCHEMA = 2
_DRIVER_MARKS = ("/proc/driver/nvidia/version", "/dev/nvidiactl")
_ORDER = (
    "uuid", "pci_bus_id", "vendor", "name", "usable", "architecture", "compute_capability", "gfx_target", "gpu_cores", "metal_family",
    "memory_total_bytes", "memory_free_bytes", "memory_reserved_bytes", "unified_memory", "display_attached", "mig", "virtual", "persistence_mode", "ecc",
    "pcie_generation", "pcie_width", "numa_node", "render_node", "device_group_ids",
)  # fmt: skip


def gather(programs, root="/", uname=None, paths=(), measure=False):
    """C(ansible_facts['gpu']).

    C(programs): see Programs. C(root) is the directory that stands for /, C(uname) stands for os.uname().
    C(paths): see host.read(). C(measure): whether to find out how fast the RAM is.
    """
    tree = Tree(root)
    platform = system.read(tree, uname or os.uname())
    is_mac = platform["system"] == "Darwin"
    nvidia_smi.start(programs)
    engines.start(programs)
    toolkit.start(tree, programs)
    if is_mac:
        apple.start(programs)
    memory = host.read(tree, programs, platform["system"], paths)
    cards = pci.cards(tree)
    nvidia = _nvidia(tree, programs, platform)
    others = {
        "amd": amdgpu.read(tree, programs, [card for card in cards if card.vendor == pci.AMD]),
        "intel": intel.read(tree, programs, [card for card in cards if card.vendor == pci.INTEL], memory),
        # Where nvidia-smi knows the chip, it knows more of it.
        "jetson": Findings() if nvidia.devices else tegra.read(tree),
        "apple": apple.read(programs, apple.sysctl(programs), memory) if is_mac else Findings(),
    }
    found = nvidia.devices + tuple(device for findings in others.values() for device in findings.devices)
    devices = sorted((_with_bus(tree, _with_memory(device, memory)) for device in found), key=_bus_order)
    driver_facts = driver.read(tree, platform, cards, nvidia, others)
    containers, container_problems = _containers(tree, programs, driver_facts, nvidia, devices)
    known = {device.pci_bus_id for device in (*devices, *nvidia.divided)}
    # In a container a card that nvidia-smi doesn't list is one that isn't given to it.
    listing = not platform["container"] and bool(nvidia.devices or nvidia.divided)
    problems = [*_without_echo(nvidia.problems, cards), *driver.problems(driver_facts, nvidia)]
    problems += [problem for findings in others.values() for problem in findings.problems]
    problems += nvidia_proc.excluded(tree, cards)
    problems += diagnosis.unused_cards(cards, known, problems, programs.has("nvidia-smi") or bool(nvidia.problems), listing)
    devices = _with_unanswered(tree, cards, devices, nvidia, driver_facts, platform, memory)
    problems += [*device_files.problems(tree, devices, problems), *container_problems, *diagnosis.unreadable(tree.denied)]
    programs.stop()
    if measure:
        # At the end, when none of the programs runs beside it.
        memory["memory_bandwidth_bytes_per_second"] = bandwidth.measured(memory["memory_available_bytes"])
    return {
        "schema": SCHEMA,
        "devices": [{"index": index, **_plain(device)} for index, device in enumerate(devices)],
        "driver": driver_facts,
        "platform": {**platform, **containers},
        "host": memory,
        "problems": [asdict(problem) for problem in problems],
    }


def _nvidia(tree, programs, platform):
    """What nvidia-smi says, else NVML."""
    found = nvidia_smi.read(programs)
    # All of its other complaints NVML would only say again.
    if found.devices or found.divided or any(problem.code != "nvidia_smi_failed" for problem in found.problems):
        return found
    # Distributions bring the library to machines without a GPU too, as a dependency: without a driver it has nothing to say.
    if not (any(tree.exists(path) for path in _DRIVER_MARKS) or platform["wsl"] or platform["jetson"]):
        return found
    library = nvml.read(tree, programs)
    return replace(library, problems=(*found.problems, *library.problems))


def _plain(device):
    return {**{key: getattr(device, key) for key in _ORDER}, "device_group_ids": list(device.device_group_ids)}


def _containers(tree, programs, driver_facts, nvidia, devices):
    """(the facts under C(platform) about containers, problems)."""
    found_engines = engines.read(tree, programs)
    found_toolkit, toolkit_problems = toolkit.read(tree, programs)
    answered = nvidia.devices or nvidia.divided
    uuids = {device.uuid for device in (*devices, *nvidia.divided)} if answered else None
    version = driver_facts["version"] if driver_facts["vendor"] == "nvidia" else None
    specs, cdi_problems = cdi.read(tree, version, uuids, found_engines)
    return {"engines": found_engines, "toolkit": found_toolkit, "cdi": specs}, (*toolkit_problems, *cdi_problems)


def _with_unanswered(tree, cards, devices, nvidia, driver_facts, platform, memory):
    """C(devices), and the NVIDIA GPUs that only the kernel module tells of."""
    answered = bool(nvidia.devices or nvidia.divided)
    # The one of a Jetson is told by the device tree, and an answer in a container names all that it was given.
    if any(device.vendor == "nvidia" and device.pci_bus_id is None for device in devices) or (answered and platform["container"]):
        return devices
    known = {device.pci_bus_id for device in (*devices, *nvidia.divided)}
    works = not answered and not nvidia.problems and not driver_facts["mismatch"]
    found = nvidia_proc.read(tree, cards, known, works, platform["container"])
    return sorted([*devices, *(_with_bus(tree, _with_memory(device, memory)) for device in found)], key=_bus_order)


def _with_memory(device, memory):
    """A GPU in the RAM with the host's figures; its own limit on what is free of it counts where it is lower."""
    if not device.unified_memory:
        return device
    free = [figure for figure in (memory["memory_available_bytes"], device.memory_free_bytes) if figure is not None]
    return replace(device, memory_total_bytes=memory["memory_total_bytes"], memory_free_bytes=min(free, default=None))


def _with_bus(tree, device):
    """What the bus tells of a device that is on one, where its own reader didn't."""
    if device.pci_bus_id is None:
        return device
    generation, width = device.pcie_generation, device.pcie_width
    if generation is None or width is None:
        generation, width = pci.link(tree, device.pci_bus_id)
    device = replace(device, pcie_generation=generation, pcie_width=width, numa_node=pci.numa_node(tree, device.pci_bus_id))
    device = replace(device, render_node=device_files.render_node(tree, device.pci_bus_id))
    return replace(device, device_group_ids=device_files.group_ids(tree, device))


def _bus_order(device):
    address = bus_address(device.pci_bus_id)
    return (address is None, address or ())


def _without_echo(problems, cards):
    """Where no NVIDIA card is driven by the nvidia module, sysfs says why: what nvidia-smi says of it is an echo of that."""
    drivers = [card.driver for card in cards if card.vendor == pci.NVIDIA]
    if not drivers or "nvidia" in drivers:
        return problems
    return tuple(problem for problem in problems if problem.code not in ("driver_not_loaded", "no_devices"))
