# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What processes hold of each GPU's memory. Private: not an interface for other collections.

NVIDIA: nvidia-smi. AMD: the kernel's /sys/class/kfd for ROCm. AMD and Intel: the drm- keys of /proc/PID/fdinfo
(https://docs.kernel.org/gpu/drm-usage-stats.html), which only their own user and root may read.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import Programs

MIB = 1024 * 1024
MOST_FILES = 4096

_QUERY = ("nvidia-smi", "--query-compute-apps=pid,gpu_uuid,used_memory", "--format=csv,noheader,nounits")
_ROW = re.compile(r"\s*(\d{1,10})\s*,\s*((?:GPU|MIG)-[0-9A-Za-z-]{1,60})\s*,\s*(\d{1,9})\s*$")
# VRAM by its names in amdgpu, xe and i915; the newest key first.
_MEMORY = re.compile(r"^drm-(resident|total|memory)-(?:vram|local)(\d*):\s*(\d{1,15})(?: (KiB|MiB|GiB))?\s*$", re.MULTILINE)
_UNITS = {"": 1, "KiB": 1024, "MiB": MIB, "GiB": 1024 * MIB}


def gpus(tree, pids, find, seconds):
    """[{uuid, pci_bus_id, used_bytes}] of the GPUs on which the processes hold memory."""
    return _nvidia(pids, find, seconds) + _drm(tree, pids)


def _nvidia(pids, find, seconds):
    programs = Programs(find, seconds)
    rc, out, _err = programs.run(*_QUERY)
    used = {}
    for line in out.splitlines() if rc == 0 else ():
        row = _ROW.match(line)
        if row and int(row.group(1)) in pids:
            used[row.group(2)] = used.get(row.group(2), 0) + int(row.group(3)) * MIB
    return [{"uuid": uuid, "pci_bus_id": None, "used_bytes": size} for uuid, size in used.items()]


def _drm(tree, pids):
    """By the address on the bus. A client is counted once, however many files it has open."""
    clients, kfd = {}, _kfd(tree, pids)
    for pid in pids:
        for name in tree.names(f"/proc/{pid}/fdinfo")[:MOST_FILES]:
            told = tree.text(f"/proc/{pid}/fdinfo/{name}") or ""
            if "drm-client-id:" in told:
                fields = dict(re.findall(r"^(drm-pdev|drm-client-id|drm-driver):\s*(\S{1,40})$", told, re.MULTILINE))
                clients[(fields.get("drm-pdev"), fields.get("drm-client-id"))] = _vram(told)
    used = dict(kfd)
    for (address, _client), size in clients.items():
        if address is not None and size and address not in kfd:
            used[address] = used.get(address, 0) + size
    return [{"uuid": None, "pci_bus_id": address, "used_bytes": size} for address, size in sorted(used.items())]


def _vram(told):
    """The sum over a GPU's tiles of the best of its keys."""
    by_key = {}
    for key, tile, size, unit in _MEMORY.findall(told):
        by_key.setdefault(key, {})[tile] = int(size) * _UNITS[unit]
    for key in ("resident", "memory", "total"):
        if key in by_key:
            return sum(by_key[key].values())
    return 0


def _kfd(tree, pids):
    """ROCm's own account, in bytes by address."""
    addresses = {}
    for node in tree.names("/sys/class/kfd/kfd/topology/nodes"):
        path = f"/sys/class/kfd/kfd/topology/nodes/{node}"
        number = tree.number(f"{path}/gpu_id")
        told = dict(re.findall(r"^(domain|location_id) (\d{1,10})$", tree.text(f"{path}/properties") or "", re.MULTILINE))
        if number and told.get("location_id"):
            location = int(told["location_id"])
            addresses[number] = f"{int(told.get('domain', 0)):04x}:{location >> 8 & 0xFF:02x}:{location >> 3 & 0x1F:02x}.{location & 7}"
    used = {}
    for pid in pids:
        for number, address in addresses.items():
            size = tree.number(f"/sys/class/kfd/kfd/proc/{pid}/vram_{number}")
            if size:
                used[address] = used.get(address, 0) + size
    return used
