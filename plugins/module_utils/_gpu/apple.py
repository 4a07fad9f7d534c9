# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Mac with a processor of Apple, from sysctl, vm_stat and what apple_displays.py reads. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import apple_displays
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Findings

_NAMES = (
    "hw.memsize", "hw.physicalcpu", "hw.logicalcpu", "hw.perflevel0.physicalcpu", "machdep.cpu.brand_string", "iogpu.wired_limit_mb",
)  # fmt: skip
# Pages that are free, or given up as soon as something else needs them.
_AVAILABLE = ("Pages free", "Pages inactive", "Pages speculative", "Pages purgeable")
_MIB, _GIB = 1024**2, 1024**3


def start(programs):
    """Begin what host() and read() ask for."""
    programs.start("sysctl", *_NAMES)
    programs.start("vm_stat")
    apple_displays.start(programs)


def host(programs, told):
    """The facts under C(host) that macOS tells another way than other systems."""
    total, available = _number(told, "hw.memsize"), _available(programs)
    return {
        "memory_total_bytes": total,
        # Of two figures that are not taken at the same moment.
        "memory_available_bytes": available if total is None or available is None else min(available, total),
        "cpu": told.get("machdep.cpu.brand_string"),
        "cores_physical": _number(told, "hw.physicalcpu"),
        "cores_logical": _number(told, "hw.logicalcpu"),
        "cores_performance": _number(told, "hw.perflevel0.physicalcpu"),
    }


def read(programs, told, memory):
    """The GPU in the processor. C(told): what sysctl tells; C(memory): the facts under C(host)."""
    name = told.get("machdep.cpu.brand_string", "")
    # A virtual machine has the processor, but a GPU that runs no llama.cpp.
    if not name.startswith("Apple") or "(Virtual)" in name or memory["memory_total_bytes"] is None:
        return Findings()
    limit = (_number(told, "iogpu.wired_limit_mb") or 0) * _MIB or working_set_bytes(memory["memory_total_bytes"])
    return Findings((Device(None, None, "apple", name, None, limit, unified_memory=True, **apple_displays.read(programs, name)),))


def working_set_bytes(memory_total_bytes):
    """The most that macOS lets the GPU have of the RAM where iogpu.wired_limit_mb doesn't say it.

    recommendedMaxWorkingSetSize: two thirds up to 36 GiB and three quarters above for years (8 GiB: 5461 MiB, 16: 10922, 64: 49152 in
    llama.cpp's logs); newer releases give more (16: 12124, 24: 18186, 64: 53084). The smaller rule is the safe one.
    """
    return memory_total_bytes * 2 // 3 if memory_total_bytes <= 36 * _GIB else memory_total_bytes * 3 // 4


def sysctl(programs):
    """What sysctl tells by name. One that this macOS doesn't know is left out."""
    out = programs.run("sysctl", *_NAMES)[1]
    return {key: value.strip() for key, colon, value in (line.partition(":") for line in out.splitlines()) if colon}


def _number(told, name):
    text = told.get(name, "")
    return int(text) if text.isdecimal() else None


def _available(programs):
    out = programs.run("vm_stat")[1]
    size = re.search(r"page size of (\d+) bytes", out)
    pages = dict(re.findall(r"^([^:\n]+):\s+(\d+)\.", out, re.MULTILINE))
    if size is None or "Pages free" not in pages:
        return None
    return int(size.group(1)) * sum(int(pages.get(name, 0)) for name in _AVAILABLE)
