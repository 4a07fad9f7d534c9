# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The devices in /dev that programs open for a GPU: which, of which groups, and whether this user may. Private: not an interface for other collections."""

from __future__ import annotations

import os
import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import pci
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem

_COMPUTE = "/dev/kfd"
_NVIDIA = re.compile(r"nvidia(\d+|ctl|-uvm)")
# What a group is that has no number in a user namespace.
_NOBODY = 65534
_GROUP_MAY, _ALL_MAY = 0o060, 0o006
_ROOT = 0


def render_node(tree, bus_id):
    """The path of a GPU's render node, None where its driver has none."""
    names = [name for name in tree.names(f"{pci.DEVICES}/{bus_id}/drm") if re.fullmatch(r"renderD\d+", name)]
    return f"/dev/dri/{names[0]}" if names else None


def group_ids(tree, device):
    """The numbers of the groups whose members may open what an AMD or Intel GPU needs, where not everybody may."""
    found = {file.group_id for file in map(tree.device, _paths(device)) if file and file.mode & _GROUP_MAY == _GROUP_MAY and not file.mode & _ALL_MAY}
    return tuple(sorted(found - {_ROOT, _NOBODY}))


def problems(tree, devices, told, user_id=None):
    """One problem for each vendor whose GPUs this user may not open. C(told): the problems that are known; C(user_id) stands for the user's."""
    found = []
    for vendor in ("nvidia", "amd", "intel"):
        paths = _nvidia(tree) if vendor == "nvidia" else sorted({path for device in devices if device.vendor == vendor for path in _paths(device)})
        shut = [(path, file) for path, file in ((path, tree.device(path)) for path in paths) if file and not tree.may_open(path)]
        said = vendor == "nvidia" and any(problem.code == "permission_denied" for problem in told)
        if shut and not said:
            found.append(_problem(tree, shut, os.geteuid() if user_id is None else user_id))
    return tuple(found)


def _paths(device):
    if device.vendor == "amd":
        return [_COMPUTE, *([device.render_node] if device.render_node else [])]
    return [device.render_node] if device.vendor == "intel" and device.render_node else []


def _nvidia(tree):
    return [f"/dev/{name}" for name in tree.names("/dev") if _NVIDIA.fullmatch(name)]


def _problem(tree, shut, user_id):
    users, groups = _names(tree, "/etc/passwd"), _names(tree, "/etc/group")
    user = users.get(user_id, str(user_id))
    listed = ", ".join(f"{path} (group {groups.get(file.group_id, 'without a name')}, {file.group_id})" for path, file in shut)
    message = f"the user {user} may not read and write {listed}"
    helpful = sorted({file.group_id for _path, file in shut if file.mode & _GROUP_MAY == _GROUP_MAY} - {_ROOT, _NOBODY})
    if not helpful:
        return Problem("device_permission_denied", message, "Let a group read and write them with a udev rule, and make the user a member of it.")
    names = ",".join(groups.get(group, str(group)) for group in helpful)
    added = " ".join(f"--group-add {group}" for group in helpful)
    fix = f"Run 'usermod -aG {names} {user}' and log in again, for a user who runs a server likewise; a container needs {added}."
    return Problem("device_permission_denied", message, fix)


def _names(tree, path):
    """number: name, of a file such as /etc/group."""
    rows = [line.split(":") for line in (tree.text(path) or "").splitlines()]
    return {int(row[2]): row[0] for row in rows if len(row) > 2 and row[2].isdecimal()}
