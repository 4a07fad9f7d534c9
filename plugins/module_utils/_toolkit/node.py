# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role needs to know of a node beside the facts about GPUs. Private: not an interface for other collections."""

from __future__ import annotations

import hashlib
import os
import re

from . import containers, packages, repositories, system

HOOK = "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json"
REFRESH_SETTINGS = "/etc/nvidia-container-toolkit/nvidia-cdi-refresh.env"
_UNITS = ("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system")
_DAEMONS = {"docker": "docker.service", "containerd": "containerd.service", "crio": "crio.service"}


def read(tree, machine, find, run, users, directory=None):
    """The facts as a dictionary; see the documentation of the module nvidia_container_toolkit_info.

    C(find) gives the path of a program or None, C(run) runs a command and gives (rc, out, err), C(users) are (name, id, home).
    """
    found = system.read(tree, machine, find)
    manager = found["manager"]
    versions, held = {}, []
    if manager:
        versions, held = packages.installed(manager, run(packages.query(manager, [*packages.TOOLKIT, "nvidia-docker2", "nvidia-container-runtime"]))[1])
    if manager == "zypper":
        locks = packages.zypper_locks(run(packages.ZYPPER_LOCKS)[1])
        held = [name for name in versions if name in locks]
    running = containers.read(tree)
    return {
        "system": found,
        "packages": versions,
        "held": held,
        "repositories": repositories.read(tree),
        "daemons": {name: _daemon(unit, found["systemd"], run) for name, unit in _DAEMONS.items()},
        "clients": [name for name in ("docker", "podman", "ctr") if find(name)],
        "containers": {name: running.get(name, {"running": 0, "gpu": 0}) for name in ("podman", *_DAEMONS)},
        "hook": HOOK if tree.exists(HOOK) else None,
        "refresh_settings": _assignments(tree.text(REFRESH_SETTINGS)),
        "refresh_units": any(tree.exists(f"{directory}/nvidia-cdi-refresh.service") for directory in _UNITS),
        "containerd_version": _containerd_file_version(tree.text("/etc/containerd/config.toml")),
        "users": [_user(tree, *user) for user in users],
        "files": _package_files(directory) if directory else None,
    }


def _daemon(unit, systemd, run):
    """{unit, active, arguments}; None where there is no such unit."""
    if not systemd:
        return None
    rc, out, _err = run(["systemctl", "show", "--property=LoadState,ActiveState,ExecStart", unit])
    shown = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    if rc or shown.get("LoadState") != "loaded":
        return None
    argv = re.search(r"argv\[\]=(.*?) ;", shown.get("ExecStart", ""))
    return {"unit": unit, "active": shown.get("ActiveState") == "active", "arguments": argv.group(1).split()[1:] if argv else []}


def _assignments(text):
    """The environment file as a dictionary, None where there is none."""
    return None if text is None else dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


def _containerd_file_version(text):
    """The C(version) of containerd's file, 1 where it doesn't say, None where there is no file or an empty one."""
    if not text:
        return None
    found = re.search(r"^version\s*=\s*(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 1


def _user(tree, name, number, home):
    return {"name": name, "id": number, "home": home, "docker": tree.exists(f"/run/user/{number}/docker.sock"), "runtime": f"/run/user/{number}"}


def _package_files(directory):
    """{file name: SHA-256} of the packages in a folder."""
    found = {}
    for name in sorted(os.listdir(directory)):
        if name.endswith((".deb", ".rpm")):
            with open(os.path.join(directory, name), "rb") as file:
                found[name] = _digest(file)
    return found


def _digest(file):
    digest = hashlib.sha256()
    for block in iter(lambda: file.read(1 << 20), b""):
        digest.update(block)
    return digest.hexdigest()
