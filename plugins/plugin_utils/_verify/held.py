# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server's processes hold beside the plan.

A GPU: at least nine tenths of llama.cpp's buffers, and at most those and the reserve that the plan keeps for the driver's context and other programs.
RAM: what is only the process's own, at most what the plan says is needed to run without paging.
"""

from __future__ import annotations

from .causes import cause_of_memory
from .inputs import number, planned_memory, rows, section

GPU, RAM = "memory held on GPUs", "RAM held"
NO_PROCESS = "no process is known: tell llama_server_info with journal_unit, container or pid, as a user who may look at it"
IN_A_POD = "the API server does not tell what the processes of a pod hold"


def compare(found, plan, info, facts):
    """Add to the Findings C(found) what was seen of the processes."""
    process = section(info, "process")
    devices, host = planned_memory(plan)
    if not process:
        why = IN_A_POD if section(info, "pod") else NO_PROCESS
        found.leave_out(RAM, why)
        if devices:
            found.leave_out(GPU, why)
        return
    _ram(found, host, process)
    if devices:
        _gpus(found, plan, devices, process, facts, section(info, "log"))


def _ram(found, host, process):
    limit, got = number(host, "recommended_ram_bytes"), number(process, "rss_anon_bytes")
    if limit is None or got is None:
        found.leave_out(RAM, "the plan or the process does not tell it")
    else:
        found.at_most(RAM, limit, got)


def _gpus(found, plan, devices, process, facts, log):
    seen = rows(process, "gpus")
    if not seen:
        found.leave_out(GPU, "no tool shows what the process holds on a GPU")
        return
    for name, used in _matched(plan, devices, seen, facts).items():
        row = next(row for row in devices if row.get("name") == name)
        what, total = f"{GPU} ({name})", number(row, "total_bytes")
        if used is None or total is None:
            found.leave_out(what, "none of what the process holds is known to be on this GPU")
            continue
        most = total + max(number(row, "reserve_bytes") or 0, number(row, "overhead_bytes") or 0)
        if used < total * 9 // 10:
            found.within(what, total, used, total // 10)
        else:
            found.at_most(what, most, used)
        found.explain({what}, cause_of_memory(log, name, used, most))


def _matched(plan, devices, seen, facts):
    """Device -> bytes, None where it isn't known: by uuid, by the address that the facts know of it, or because there is but one."""
    addresses = {device.get("uuid"): device.get("pci_bus_id") for device in rows(facts, "devices")}
    found = {}
    for gpu in rows(section(plan, "node"), "gpus"):
        uuid, address = gpu.get("uuid"), addresses.get(gpu.get("uuid"))
        for row in seen:
            if (uuid and row.get("uuid") == uuid) or (address and row.get("pci_bus_id") == address):
                found[gpu.get("device")] = number(row, "used_bytes")
    names = [row.get("name") for row in devices]
    if not found and len(names) == 1 and len(seen) == 1:
        found[names[0]] = number(seen[0], "used_bytes")
    return {name: found.get(name) for name in names}
