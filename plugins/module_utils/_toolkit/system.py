# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operating system of a node and its package manager. Private: not an interface for other collections."""

from __future__ import annotations

import re

_FAMILIES = {
    "debian": {"debian", "ubuntu"},
    "redhat": {"rhel", "fedora", "centos", "amzn", "rocky", "almalinux", "ol"},
    "suse": {"suse", "sles", "opensuse"},
}
# The name of an architecture in Debian's repositories; RPM's are those of the kernel.
_DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def read(tree, machine, find):
    """{id, version, name, family, manager, architecture, systemd, vendor_image, selinux}; None for what is not known.

    C(find) gives the path of a program or None.
    """
    release = os_release(tree.text("/etc/os-release") or tree.text("/usr/lib/os-release") or "")
    family = _family(release)
    managers = {"debian": ("apt-get",), "redhat": ("dnf", "yum"), "suse": ("zypper",)}.get(family, ())
    manager = next((name for name in managers if find(name)), None)
    return {
        "id": release.get("ID"),
        "version": release.get("VERSION_ID"),
        "name": release.get("PRETTY_NAME") or release.get("NAME"),
        "family": family,
        "manager": "apt" if manager == "apt-get" else manager,
        "architecture": _DEBIAN_ARCHITECTURES.get(machine, machine) if family == "debian" else machine,
        "systemd": tree.exists("/run/systemd/system"),
        "vendor_image": "DGX OS" if tree.exists("/etc/dgx-release") else None,
        "selinux": _selinux(tree),
    }


def os_release(text):
    """The assignments of an os-release file."""
    found = re.findall(r"""^([A-Z_]+)=["']?(.*?)["']?\s*$""", text, re.MULTILINE)
    return dict(found)


def _family(release):
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    for name in names:
        for family, members in _FAMILIES.items():
            if name in members or (family == "suse" and name.startswith("opensuse")):
                return family
    return None


def _selinux(tree):
    """{enforcing, container_use_devices} where SELinux is on; the boolean is None where the policy has none."""
    enforce = tree.text("/sys/fs/selinux/enforce")
    if enforce is None:
        return None
    boolean = tree.text("/sys/fs/selinux/booleans/container_use_devices")
    return {"enforcing": enforce == "1", "container_use_devices": boolean.startswith("1") if boolean else None}
