# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The NVIDIA Container Toolkit and its packages. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem

_PACKAGES = ("nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container-tools", "libnvidia-container1")
# dpkg and rpm; nvidia-container-runtime and nvidia-docker2 are what came before the toolkit.
_ALL = (*_PACKAGES, "nvidia-container-runtime", "nvidia-docker2")
_DPKG_STATUS = "/var/lib/dpkg/status"
_RPM = ("-q", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n", *_ALL)
_VERSION = re.compile(r"version\s+v?(\d+\.\d+\.\d+\S*)")


def start(tree, programs):
    """Begin what read() asks for."""
    programs.start("nvidia-ctk", "--version")
    if not tree.exists(_DPKG_STATUS):
        programs.start("rpm", *_RPM)


def read(tree, programs):
    """(the facts under C(platform.toolkit), problems)."""
    packages = _dpkg(tree) if tree.exists(_DPKG_STATUS) else _rpm(programs)
    version = _VERSION.search(programs.run("nvidia-ctk", "--version")[1])
    if version is None and not packages:
        return None, ()
    told = next((_upstream(packages[name]) for name in _PACKAGES if name in packages), None)
    return {"version": version.group(1) if version else told, "packages": packages}, _problems(packages)


def _dpkg(tree):
    """From dpkg's own file: it is there without any program."""
    found = {}
    for paragraph in re.findall(r"^Package: (?:lib)?nvidia-.*?(?=^$|\Z)", tree.text(_DPKG_STATUS) or "", re.MULTILINE | re.DOTALL):
        fields = dict(re.findall(r"^(\w+): (.*)$", paragraph, re.MULTILINE))
        if fields["Package"] in _ALL and fields.get("Status", "").endswith(" installed"):
            found[fields["Package"]] = fields.get("Version")
    return {name: found[name] for name in _ALL if name in found}


def _rpm(programs):
    out = programs.run("rpm", *_RPM)[1]
    found = dict(line.split(" ") for line in out.splitlines() if line.split(" ")[0] in _ALL and line.count(" ") == 1)
    return {name: found[name] for name in _ALL if name in found}


def _upstream(version):
    return version.partition("-")[0]


def _problems(packages):
    """Since 1.18 the packages need one another in exactly the same version; before, mixed ones fail at run time."""
    versions = {name: _upstream(packages[name]) for name in _PACKAGES if name in packages}
    if len(set(versions.values())) < 2:
        return ()
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    fix = "Install all of them in one version, and hold them together."
    return (Problem("toolkit_packages_differ", f"the packages of the NVIDIA Container Toolkit are of different versions: {listed}", fix),)
