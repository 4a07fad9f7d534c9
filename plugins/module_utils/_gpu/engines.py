# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Container engines, and whether they take CDI devices. Private: not an interface for other collections."""

from __future__ import annotations

import json
import os
import re

# The program that tells the version of the engine: of Docker the daemon where it is here, its client may talk to another machine.
_PROGRAMS = {"podman": ("podman",), "docker": ("dockerd", "docker"), "containerd": ("containerd",), "crio": ("crio",)}
_VERSION = re.compile(r"\bv?(\d+(?:\.\d+){1,2})")
_ENABLE_CDI = re.compile(r"^\s*enable_cdi\s*=\s*(true|false)", re.MULTILINE)
_DOCKER_SETTINGS = ("/etc/docker/daemon.json", "/var/snap/docker/current/config/daemon.json")
_CONTAINERD_SETTINGS = "/etc/containerd"
# K3s and RKE2 bring a containerd, and write its settings themselves.
_OTHER_CONTAINERD_SETTINGS = tuple(f"/var/lib/rancher/{name}/agent/etc/containerd/config.toml" for name in ("k3s", "rke2"))


def start(programs):
    """Begin what read() asks for."""
    for name in _PROGRAMS:
        program = _program(programs, name)
        if program:
            programs.start(program, "--version")


def read(tree, programs, user_id=None):
    """The facts under C(platform.engines); C(user_id) stands for the user of this process."""
    user_id = os.geteuid() if user_id is None else user_id
    found = []
    for name in _PROGRAMS:
        version = _version(programs, name)
        if version is not None:
            found.append({"name": name, "version": version, "cdi": _CDI[name](tree, numbers(version)), "rootless": _rootless(tree, name, user_id)})
    return found


def numbers(version):
    """A version's first three numbers for comparing."""
    parts = [int(part) for part in re.findall(r"\d+", version)]
    return tuple((parts + [0, 0, 0])[:3])


def _program(programs, name):
    return next((program for program in _PROGRAMS[name] if programs.has(program)), None)


def _version(programs, name):
    """The version, None where there is no such engine."""
    program = _program(programs, name)
    if program is None:
        return None
    rc, out, _err = programs.run(program, "--version")
    version = _VERSION.search(out)
    # podman-docker installs a "docker" that is Podman.
    if rc != 0 or version is None or (name == "docker" and "podman" in out.lower()):
        return None
    return version.group(1)


def _podman_cdi(_tree, version):
    """Since 4.1."""
    return version >= (4, 1)


def _docker_cdi(tree, version):
    """Since 25 where the feature is switched on, since 28.2 unless it is switched off."""
    if version < (25, 0):
        return False
    setting = None
    for path in _DOCKER_SETTINGS:
        try:
            setting = json.loads(tree.text(path) or "{}")["features"]["cdi"]
        except (ValueError, KeyError, TypeError):
            continue
    return setting is not False if version >= (28, 2) else setting is True


def _containerd_cdi(tree, version):
    """Since 1.7 where it is switched on, since 2.0 unless it is switched off. None where the settings can't be read."""
    if version < (1, 7):
        return False
    paths = [f"{_CONTAINERD_SETTINGS}/config.toml"]
    paths += [f"{_CONTAINERD_SETTINGS}/conf.d/{name}" for name in tree.names(f"{_CONTAINERD_SETTINGS}/conf.d") if name.endswith(".toml")]
    paths += _OTHER_CONTAINERD_SETTINGS
    settings = [value for path in paths for value in _ENABLE_CDI.findall(tree.text(path) or "")]
    if settings:
        return settings[-1] == "true"
    if any(path in paths or path.startswith(_CONTAINERD_SETTINGS) for path in tree.denied):
        return None
    return version >= (2, 0)


def _crio_cdi(_tree, version):
    """Since 1.23, always on."""
    return version >= (1, 23)


_CDI = {"podman": _podman_cdi, "docker": _docker_cdi, "containerd": _containerd_cdi, "crio": _crio_cdi}


def _rootless(tree, name, user_id):
    """Whether this user's containers run without root. None where nothing tells."""
    if name == "podman":
        return user_id != 0
    if name == "docker":
        if user_id != 0 and tree.exists(f"/run/user/{user_id}/docker.sock"):
            return True
        return False if tree.exists("/run/docker.sock") else None
    return False if tree.exists(f"/run/{name}/{name}.sock") else None
