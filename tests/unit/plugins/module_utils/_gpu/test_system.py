# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kind of system a node is."""

from __future__ import annotations

import platform

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import system
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree


def read(root):
    return system.read(Tree(root))


def test_a_plain_system(node):
    found = read(node({"/proc/sys/kernel/osrelease": "6.8.0-79-generic\n", "/proc/1/environ": "HOME=/\0not_container=lxc\0"}))
    assert found == {"system": platform.system(), "machine": platform.machine(), "kernel": "6.8.0-79-generic", "wsl": False, "container": False}


@pytest.mark.parametrize("release", ["5.15.167.4-microsoft-standard-WSL2", "4.4.0-19041-Microsoft"])
def test_wsl(node, release):
    assert read(node({"/proc/sys/kernel/osrelease": release}))["wsl"] is True


@pytest.mark.parametrize(
    "path, text",
    [("/.dockerenv", ""), ("/run/.containerenv", ""), ("/run/systemd/container", "lxc"), ("/proc/1/environ", "PATH=/bin\0container=podman\0")],
)
def test_containers(node, path, text):
    assert read(node({path: text}))["container"] is True
