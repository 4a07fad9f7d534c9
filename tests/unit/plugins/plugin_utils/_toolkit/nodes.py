# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes for the tests of the toolkit."""

from __future__ import annotations

import copy

TOOLKIT = ("libnvidia-container1", "libnvidia-container-tools", "nvidia-container-toolkit-base", "nvidia-container-toolkit")

FACTS = {
    "devices": [{"name": "NVIDIA L4", "vendor": "nvidia"}],
    "problems": [],
    "platform": {
        "wsl": False, "jetson": None, "kubernetes_node": False, "gpu_operator": False, "engines": [], "cdi": {"specs": [], "duplicates": []},
    },
}  # fmt: skip
INFO = {
    "system": {"name": "Debian", "family": "debian", "manager": "apt", "architecture": "amd64", "systemd": True, "vendor_image": None, "selinux": None},
    "packages": {}, "held": [], "repositories": [], "hook": None, "refresh_settings": None, "refresh_units": False, "containerd_version": None,
    "daemons": {"docker": None, "containerd": None, "crio": None}, "clients": ["podman", "docker"], "users": [], "files": None,
    "containers": {name: {"running": 0, "gpu": 0} for name in ("podman", "docker", "containerd", "crio")},
}  # fmt: skip
SPEC = {"path": "/var/run/cdi/nvidia.yaml", "kind": "nvidia.com/gpu", "devices": ["all"], "stale": False, "why": None}


def node(engines=None, info=None, system=None, containers=None, **platform):
    """(facts, info) of a Debian with an NVIDIA L4. C(engines): {name: version} or {name: (version, cdi)}."""
    facts, known = copy.deepcopy(FACTS), copy.deepcopy(INFO)
    for name, told in (engines or {}).items():
        version, cdi = told if isinstance(told, tuple) else (told, None)
        facts["platform"]["engines"].append({"name": name, "version": version, "cdi": cdi, "rootless": None})
        if name != "podman":
            known["daemons"][name] = {"unit": f"{name}.service", "active": True, "arguments": []}
    facts["platform"].update(platform)
    known.update(info or {})
    known["system"].update(system or {})
    known["containers"].update(containers or {})
    return facts, known


def rpm(**more):
    return {"name": "Rocky Linux 9", "family": "redhat", "manager": "dnf", "architecture": "x86_64", **more}
