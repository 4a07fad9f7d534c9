# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs from its management library, where there is no nvidia-smi or it can't be run. Private: not an interface for other collections.

Containers and small images often have the library alone. What it says is read in a process of its own, within the time limit.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import driver, mig, nvidia_chips, nvidia_failures, nvml_library
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Findings, Problem, bus_name
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import TIMED_OUT

_LIBRARY = "libnvidia-ml.so.1"
# Beside those of the distributions WSL's, Debian's, Jetson's, and where a driver in a container has its own (GPU Operator, GKE).
_DIRECTORIES = (
    *driver.LIBRARY_DIRECTORIES, "/usr/lib/wsl/lib", "/usr/lib/x86_64-linux-gnu/nvidia/current", "/usr/lib/aarch64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia", "/usr/lib/aarch64-linux-gnu/tegra", "/usr/local/nvidia/lib64", "/run/nvidia/driver/usr/lib/x86_64-linux-gnu",
    "/run/nvidia/driver/usr/lib/aarch64-linux-gnu", "/run/nvidia/driver/usr/lib64", "/home/kubernetes/bin/nvidia/lib64",
)  # fmt: skip
_CODES = {
    # NVML's number: the code of the problem
    4: "permission_denied",
    9: "driver_not_loaded",
    15: "gpu_lost",
    16: "gpu_needs_reset",
    17: "wsl_gpu_blocked",
    18: "driver_library_mismatch",
    999: "container_lost_gpu",
}
_PROFILE = re.compile(r" MIG (\S+)$")


def read(tree, programs):
    """The devices and the driver that the library tells of; nothing where there is none."""
    path = next((path for path in (f"{directory}/{_LIBRARY}" for directory in _DIRECTORIES) if tree.exists(path)), None)
    if path is None:
        return Findings()
    rc, out, err = programs.call(nvml_library.ask, tree.place(path))
    if rc == TIMED_OUT:
        return Findings(problems=(Problem("nvml_timeout", f"NVML ({path}): {err}", nvidia_failures.TIMEOUT_FIX),))
    try:
        told = json.loads(out)
    except ValueError:
        told = {"failed": None, "text": f"it ended with code {rc}: {err or 'no output'}"}
    if "failed" in told:
        return Findings(problems=(_problem(f"NVML ({path})", told),))
    devices, divided, problems = [], [], []
    for row in told["devices"]:
        found, parent, row_problems = _device(row)
        devices += found
        divided += [parent] if parent else []
        problems += row_problems
    cuda = told["cuda_version"]
    # 12080 is 12.8.
    cuda_max = f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None
    return Findings(tuple(devices), told["driver_version"], cuda_max, problems=tuple(problems), divided=tuple(divided))


def _device(row):
    """(devices, the GPU that they are parts of or None, problems)."""
    if "failed" in row:
        return [], None, [_problem("NVML", row)]
    memory, name, capability = row["memory"], row["name"] or "NVIDIA GPU", row["compute_capability"]
    device = Device(
        uuid=row["uuid"],
        pci_bus_id=bus_name(row["pci_bus_id"]),
        vendor="nvidia",
        name=name,
        architecture=nvidia_chips.architecture(capability),
        compute_capability=capability,
        memory_total_bytes=memory.get("total"),
        memory_free_bytes=memory.get("free"),
        memory_reserved_bytes=memory.get("reserved"),
        unified_memory=False,
        display_attached=row["display_active"],
        virtual=nvidia_chips.is_virtual(name),
        persistence_mode=row["persistence_mode"],
        ecc=row["ecc"],
        pcie_generation=row["pcie_generation"],
        pcie_width=row["pcie_width"],
    )
    if row["instances"] is not None:
        return (*_instances(device, row["instances"]),)
    if memory.get("failed") == nvml_library.NOT_SUPPORTED or nvidia_chips.shares_ram(capability):
        return [replace(device, memory_total_bytes=None, memory_free_bytes=None, memory_reserved_bytes=None, unified_memory=True)], None, []
    if "failed" in memory:
        return [], None, [_problem(f"NVML: the memory of GPU {device.pci_bus_id} can't be read", memory, "gpu_memory_unreadable")]
    return [device], None, []


def _instances(parent, rows):
    """What mig.py makes of nvidia-smi's list and XML."""
    listed = {parent.uuid: []}
    details = {}
    for number, row in enumerate(rows):
        profile = _PROFILE.search(row["name"] or "")
        listed[parent.uuid].append((profile.group(1) if profile else "?", number, row["uuid"]))
        details[(parent.uuid, number)] = {**{key: row[key] for key in ("gpu_instance_id", "compute_instance_id")}, **row["memory"]}
    whole = replace(parent, memory_total_bytes=0, memory_free_bytes=0, memory_reserved_bytes=None)
    devices, problems = mig.instances({parent.uuid: whole}, listed, details)
    return devices, whole, problems


def _problem(what, told, otherwise="nvml_failed"):
    code = _CODES.get(told["failed"], otherwise)
    return Problem(code, f"{what}: {told['text']}", nvidia_failures.fix_of(code))
