# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The RAM and the processor of a node. Private: not an interface for other collections."""

from __future__ import annotations

import os
import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import apple, dmi, processor

_HUGEPAGES = "/sys/kernel/mm/hugepages"

_CGROUPS = {
    # controller: (mount point, limit, usage, the key of the page cache that can be dropped at once)
    "memory": ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    "": ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
}


def read(tree, programs, system, paths=()):
    """The facts under C(host); memory is what this process can have, so a cgroup's limit counts.

    C(paths): where to look for free space. How fast the RAM is, bandwidth.py finds out.
    """
    facts = {**_memory_facts(tree), **processor.read(tree)}
    if system == "Darwin":
        facts.update((key, value) for key, value in apple.host(programs, apple.sysctl(programs)).items() if value is not None)
    facts.update(_hugepages(tree))
    facts["memory_bandwidth_bytes_per_second"] = None
    facts.update(dmi.read(tree))
    facts["disks"] = [_disk(path, tree.space(path)) for path in paths]
    return facts


def _memory_facts(tree):
    total, available = _memory(tree)
    limit = None
    for group_limit, group_left in _cgroup_limits(tree):
        # "Unlimited" is a huge number in cgroup v1, and a limit above the RAM limits nothing.
        if total is not None and group_limit < total:
            limit = group_limit if limit is None else min(limit, group_limit)
            available = group_left if available is None else min(available, group_left)
    return {"memory_total_bytes": total if limit is None else limit, "memory_available_bytes": available, "memory_limit_bytes": limit}


def _hugepages(tree):
    """The pages set aside beforehand, of all sizes. None on a system that has no such thing."""
    sizes = [name for name in tree.names(_HUGEPAGES) if re.fullmatch(r"hugepages-\d+kB", name)]
    figures = {}
    for key, name in (("hugepages_total_bytes", "nr_hugepages"), ("hugepages_free_bytes", "free_hugepages")):
        counts = [(tree.number(f"{_HUGEPAGES}/{size}/{name}"), int(size[10:-2]) * 1024) for size in sizes]
        figures[key] = sum(count * size for count, size in counts if count is not None) if counts else None
    return figures


def _disk(path, space):
    total, free = space or (None, None)
    return {"path": path, "total_bytes": total, "free_bytes": free}


def _memory(tree):
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB$", tree.text("/proc/meminfo") or "", re.MULTILINE))
    if "MemTotal" not in found:
        return _sysconf_memory()
    # Kernels before 3.14 don't estimate MemAvailable; MemFree is the careful answer.
    return int(found["MemTotal"]) * 1024, int(found.get("MemAvailable", found.get("MemFree", 0))) * 1024


def _sysconf_memory():
    """RAM where there is no /proc/meminfo, as on macOS and the BSDs."""
    figures = []
    for pages in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES"):
        try:
            figures.append(os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE"))
        except (ValueError, OSError):
            figures.append(None)
    return figures


def _cgroup_limits(tree):
    """(limit, what is left of it) of the cgroup of this process and of every group around it."""
    for line in (tree.text("/proc/self/cgroup") or "").splitlines():
        controllers, path = (line.split(":", 2) + ["", ""])[1:3]
        kind = _CGROUPS.get("memory" if "memory" in controllers.split(",") else controllers)
        if kind is None:
            continue
        mount, limit_name, usage_name, cache_key = kind
        # A container may see the path of the host here while its mount starts at its own group: then only "/" is there.
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for depth in range(len(parts), -1, -1):
            group = "/".join([mount] + parts[:depth])
            limit = tree.number(group + "/" + limit_name)
            if limit is not None:
                usage = tree.number(group + "/" + usage_name) or 0
                statistics = re.findall(r"^(\w+) (\d+)$", tree.text(group + "/memory.stat") or "", re.MULTILINE)
                cache = int(dict(statistics).get(cache_key, 0))
                yield limit, max(0, limit - max(0, usage - cache))
