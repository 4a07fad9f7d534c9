# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which packages in which version, and from where. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.change import change
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.packages import TOOLKIT

from .places import has_own_repository

BASE = ("nvidia-container-toolkit-base",)
_OLD = ("nvidia-docker2", "nvidia-container-runtime")


def left_to_the_vendor(node):
    """Why the packages of this system are its vendor's own, None where they are not."""
    vendor = node.info["system"]["vendor_image"] or (node.jetson and "JetPack")
    there = any(name in node.info["packages"] for name in TOOLKIT)
    # Those that the role brought to such a system are not the vendor's.
    return vendor if vendor and there and not has_own_repository(node) else None


def wanted(wishes):
    """{name: version}."""
    return dict.fromkeys(BASE if wishes.cdi_only else TOOLKIT, wishes.package_version)


def packages(wishes, node):
    """{manager, packages, files, repository, hold, allow_upgrade, allow_downgrade, change}. Raises InfraError for a change that is not allowed."""
    installed = node.info["packages"]
    wished = wanted(wishes)
    others = {name: wishes.package_version for name in TOOLKIT if name in installed and name not in wished}
    # A package that is there beside those asked for needs them in the same version.
    wished = {**wished, **others}
    needed = change(wished, installed)
    for names, may, kind in ((needed.upgrade, wishes.allow_upgrade, "upgrade"), (needed.downgrade, wishes.allow_downgrade, "downgrade")):
        if names and not may:
            raise InfraError(
                f"this would {kind} the NVIDIA Container Toolkit", where="nvidia_container_toolkit_version",
                got=", ".join(f"{name} {installed[name]}" for name in names), expected=wishes.package_version,
                fix=f"Allow it with nvidia_container_toolkit_allow_{kind}=true, or keep what is installed"
                f" with nvidia_container_toolkit_version={installed[names[0]]}",
            )  # fmt: skip
    old = [name for name in _OLD if name in installed]
    if old:
        raise InfraError(
            "packages of NVIDIA that came before the Container Toolkit are installed", where="packages", got=", ".join(old), fix="Remove them by hand first"
        )
    return {
        "manager": node.info["system"]["manager"],
        "packages": wished,
        "files": _files(wishes, node, wished) if wishes.source == "directory" else [],
        # Nothing else lets a package go that somebody holds.
        "hold": wishes.hold or None,
        "allow_upgrade": wishes.allow_upgrade,
        "allow_downgrade": wishes.allow_downgrade,
        "change": bool(needed),
    }


def _files(wishes, node, wished):
    """The paths of the packages in the folder, their checksums compared."""
    apt, architecture = node.info["system"]["manager"] == "apt", node.info["system"]["architecture"]
    names = [f"{name}_{version}_{architecture}.deb" if apt else f"{name}-{version}.{architecture}.rpm" for name, version in wished.items()]
    there = node.info["files"] or {}
    missing = [name for name in names if name not in there]
    if missing:
        raise InfraError("packages are missing in the folder", where=wishes.directory, got=", ".join(there) or "no packages", expected=", ".join(missing))
    for name in names:
        expected = (wishes.checksums or {}).get(name)
        if expected and expected.removeprefix("sha256:").lower() != there[name]:
            raise InfraError("the checksum of a package is wrong, and nothing was installed", f"{wishes.directory}/{name}", there[name], expected)
    return [f"{wishes.directory.rstrip('/')}/{name}" for name in names]
