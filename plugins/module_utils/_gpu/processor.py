# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processor of a node. Private: not an interface for other collections."""

from __future__ import annotations

import os
import re

_CPUS = "/sys/devices/system/cpu"

# What ggml has code for (ggml/src/ggml-cpu/CMakeLists.txt), by the kernel's names but for neon, which the kernel calls asimd on 64 bits.
_SIMD = (
    "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16",
    "neon", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip
_OTHER_NAMES = {"asimd": "neon", "svei8mm": "i8mm", "svebf16": "bf16"}

# Below this part of the fastest core's capacity a core is an efficient one; cores of one kind differ by some percent.
_PERFORMANCE = 0.8


def read(tree):
    """The facts under C(host) about the processor."""
    cpus = _cpuinfo(tree)
    numbers = [int(name[3:]) for name in tree.names(_CPUS) if re.fullmatch(r"cpu\d+", name)]
    siblings = {number: tree.text(f"{_CPUS}/cpu{number}/topology/thread_siblings_list") for number in numbers}
    cores = set(siblings.values()) - {None}
    # Sysfs knows the threads of a core on every architecture; /proc/cpuinfo only on x86.
    physical = len(cores) or len({(cpu.get("physical id"), cpu["core id"]) for cpu in cpus if "core id" in cpu}) or None
    fast = _performance_cpus(tree, siblings)
    return {
        "cpu": next((cpu["model name"] for cpu in cpus if cpu.get("model name")), None),
        "cores_physical": physical,
        "cores_logical": len(cpus) or os.cpu_count(),
        "cores_performance": physical if fast is None else len({siblings[number] for number in fast if siblings.get(number)}) or physical,
        "numa_nodes": _numa_nodes(tree),
        "simd": _simd(cpus),
    }


def _cpuinfo(tree):
    """One dictionary per logical processor from /proc/cpuinfo."""
    cpus = []
    for block in re.split(r"\n\s*\n", tree.text("/proc/cpuinfo") or ""):
        cpu = {key.strip(): value.strip() for key, colon, value in (line.partition(":") for line in block.splitlines())}
        if "processor" in cpu:
            cpus.append(cpu)
    return cpus


def _performance_cpus(tree, siblings):
    """The logical processors of the fast cores where there are two kinds, else None."""
    # Intel's hybrid processors have a performance monitor for each kind.
    listed = tree.text("/sys/devices/cpu_core/cpus")
    if listed:
        return _numbers(listed)
    capacities = {number: tree.number(f"{_CPUS}/cpu{number}/cpu_capacity") for number in siblings}
    known = [capacity for capacity in capacities.values() if capacity]
    if len(set(known)) < 2:
        return None
    return [number for number, capacity in capacities.items() if capacity and capacity >= _PERFORMANCE * max(known)]


def _numbers(listed):
    """The numbers of a list as the kernel writes it, such as 0-7,16."""
    numbers = []
    for part in listed.split(","):
        first, _dash, last = part.partition("-")
        if first.isdecimal() and (not last or last.isdecimal()):
            numbers += range(int(first), int(last or first) + 1)
    return numbers


def _simd(cpus):
    """The instructions that every processor has."""
    sets = [set((cpu.get("flags") or cpu.get("Features") or "").split()) for cpu in cpus]
    common = set.intersection(*sets) if sets else set()
    common |= {_OTHER_NAMES[name] for name in common if name in _OTHER_NAMES}
    return [name for name in _SIMD if name in common]


def _numa_nodes(tree):
    """A kernel without NUMA lists no node: its memory is one."""
    return len([name for name in tree.names("/sys/devices/system/node") if re.fullmatch(r"node\d+", name)]) or 1
