# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory of a server's processes: RAM, its control group's, and each GPU's. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree
from ansible_collections.prositronic.infra.plugins.module_utils._server import gpu_usage

KIB = 1024


def usage(pids, find, seconds, root="/"):
    """The server's share of the memory, None where none of its processes can be seen."""
    tree = Tree(root)
    resident = {pid: figures for pid, figures in ((pid, _resident(tree, pid)) for pid in pids) if figures}
    if not resident:
        return None
    # With a container the first process is the one that watches over it.
    server = max(resident, key=lambda pid: resident[pid]["rss_bytes"])
    return {
        "pid": server,
        **resident[server],
        "cgroup_bytes": _control_group(tree, server),
        "gpus": gpu_usage.gpus(tree, list(resident), find, seconds),
    }


def _resident(tree, pid):
    """VmRSS counts the pages of mapped files too, RssAnon is what only this process has."""
    status = tree.text(f"/proc/{pid}/status") or ""
    found = dict(re.findall(r"^(VmRSS|RssAnon):\s+(\d{1,15}) kB$", status, re.MULTILINE))
    return {"rss_bytes": int(found["VmRSS"]) * KIB, "rss_anon_bytes": int(found.get("RssAnon", 0)) * KIB} if "VmRSS" in found else None


def _control_group(tree, pid):
    """What the process's control group holds, caches of files too; None for that of the whole machine."""
    for line in (tree.text(f"/proc/{pid}/cgroup") or "").splitlines():
        number, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if path in ("", "/"):
            continue
        if number == "0" and not controllers:
            found = tree.number(f"/sys/fs/cgroup{path}/memory.current")
        elif "memory" in controllers.split(","):
            found = tree.number(f"/sys/fs/cgroup/memory{path}/memory.usage_in_bytes")
        else:
            continue
        if found is not None:
            return found
    return None
