# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kind of system a node is."""

from __future__ import annotations

import platform
from types import SimpleNamespace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import system
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree


def read(root):
    return system.read(Tree(root))


def test_a_plain_system(node):
    found = read(node({"/proc/sys/kernel/osrelease": "6.8.0-79-generic\n", "/proc/1/environ": "HOME=/\0not_container=lxc\0"}))
    assert found == {
        "system": platform.system(),
        "machine": platform.machine(),
        "kernel": "6.8.0-79-generic",
        "wsl": False,
        "container": False,
        "jetson": None,
        "kubernetes_node": False,
        "gpu_operator": False,
        "selinux": "disabled",
        "cgroup_version": None,
    }


@pytest.mark.parametrize("release", ["5.15.167.4-microsoft-standard-WSL2", "4.4.0-19041-Microsoft"])
def test_wsl(node, release):
    assert read(node({"/proc/sys/kernel/osrelease": release}))["wsl"] is True


@pytest.mark.parametrize(
    "path, text",
    [("/.dockerenv", ""), ("/run/.containerenv", ""), ("/run/systemd/container", "lxc"), ("/proc/1/environ", "PATH=/bin\0container=podman\0")],
)
def test_containers(node, path, text):
    assert read(node({path: text}))["container"] is True


def test_a_jetson_is_known_by_its_chip(node):
    files = {
        "/proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
        "/proc/device-tree/compatible": "nvidia,p3737-0000+p3701-0005\0nvidia,tegra234\0",
    }
    assert read(node(files))["jetson"] == "NVIDIA Jetson AGX Orin Developer Kit"


def test_another_board_with_a_device_tree_is_no_jetson(node):
    files = {"/proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0", "/proc/device-tree/compatible": "raspberrypi,5-model-b\0brcm,bcm2712\0"}
    assert read(node(files))["jetson"] is None


def test_a_jetson_in_a_container_that_hides_the_device_tree(node):
    assert read(node({"/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3\n"}))["jetson"] == "NVIDIA Tegra"


@pytest.mark.parametrize("path", ["/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/var/lib/rancher/rke2/agent/x", "/var/lib/k0s/kubelet/x"])
def test_nodes_of_kubernetes(node, path):
    found = read(node({path: ""}))
    assert (found["kubernetes_node"], found["gpu_operator"]) == (True, False)


def test_the_gpu_operator(node):
    assert read(node({"/run/nvidia/validations/toolkit-ready": ""}))["gpu_operator"] is True


@pytest.mark.parametrize(
    "files, state",
    [
        ({"/sys/fs/selinux/enforce": "1"}, "enforcing"),
        ({"/sys/fs/selinux/enforce": "0"}, "permissive"),
        ({}, "disabled"),
        ({"/run/.containerenv": ""}, None),
        ({"/run/.containerenv": "", "/sys/fs/selinux/enforce": "1"}, "enforcing"),
    ],
)
def test_selinux(node, files, state):
    assert read(node(files))["selinux"] == state


def test_another_system_has_no_selinux(node):
    assert system.read(Tree(node()), SimpleNamespace(sysname="Darwin", machine="arm64", release="25.4.0"))["selinux"] is None


@pytest.mark.parametrize(
    "path, version",
    [
        ("/sys/fs/cgroup/cgroup.controllers", 2),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", 1),
        ("/sys/fs/cgroup/unified/cgroup.controllers", 1),
        ("/sys/x", None),
    ],
)
def test_the_version_of_the_control_groups(node, path, version):
    assert read(node({path: ""}))["cgroup_version"] == version
