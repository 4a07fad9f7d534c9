# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kind of system a node is. Private: not an interface for other collections."""

from __future__ import annotations

import platform

# Left by Docker, by Podman, and by systemd for the container managers that tell it (LXC, nspawn).
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")


def read(tree):
    """The facts under C(platform)."""
    kernel = tree.text("/proc/sys/kernel/osrelease") or platform.release()
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "kernel": kernel,
        "wsl": "microsoft" in kernel.lower(),
        "container": any(tree.exists(mark) for mark in _CONTAINER_MARKS) or _says_container(tree.text("/proc/1/environ")),
    }


def _says_container(environment):
    return any(entry.startswith("container=") for entry in (environment or "").split("\0"))
