# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which processes belong together. Private: not an interface for other collections."""

from __future__ import annotations

import os
from pathlib import Path

MOST_PROCESSES = 4096


def descendants(pid, root="/"):
    """C(pid), which may be gone, and the processes that it and those started."""
    children = {}
    for name in os.listdir(Path(root, "proc")):
        if name.isdecimal():
            children.setdefault(_parent(root, name), []).append(int(name))
    found = [pid]
    for parent in found:
        found += [child for child in children.get(parent, []) if child not in found]
        if len(found) > MOST_PROCESSES:
            break
    return found


def _parent(root, name):
    try:
        stat = Path(root, "proc", name, "stat").read_text(encoding="utf-8", errors="replace")
        return int(stat.rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def of_control_group(group, root="/"):
    """The processes of a control group and those below it; cgroup v2, or systemd's own tree beside v1."""
    for mount in ("sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/systemd"):
        top = Path(root, mount, group.lstrip("/"))
        if not (top / "cgroup.procs").exists():
            continue
        found = []
        for folder, _folders, _files in os.walk(top):
            try:
                found += [int(line) for line in Path(folder, "cgroup.procs").read_text(encoding="ascii", errors="replace").split() if line.isdecimal()]
            except OSError:
                continue
            if len(found) > MOST_PROCESSES:
                break
        return found
    return []
