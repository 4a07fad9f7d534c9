# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kind of system a node is. Private: not an interface for other collections."""

from __future__ import annotations

import os

# Left by Docker, by Podman, and by systemd for the container managers that tell it (LXC, nspawn).
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")

# What the kubelet and its distributions (kubeadm, EKS, K3s, RKE2, k0s, MicroK8s) keep on a node.
_KUBELET_MARKS = (
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/pods",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/kubelet",
    "/var/lib/rancher/k3s/agent",
    "/var/lib/rancher/rke2/agent",
    "/var/lib/k0s/kubelet",
    "/var/snap/microk8s/current",
)

# What the GPU Operator's validator, driver container and toolkit container leave on a node.
_OPERATOR_MARKS = ("/run/nvidia/validations", "/run/nvidia/driver", "/run/nvidia/toolkit", "/usr/local/nvidia/toolkit")

_SELINUX, _CGROUPS = "/sys/fs/selinux", "/sys/fs/cgroup"

_DEVICE_TREE = ("/proc/device-tree", "/sys/firmware/devicetree/base")


def read(tree, uname=None):
    """The facts under C(platform) that the system itself tells; C(uname) stands for os.uname()."""
    uname = uname or os.uname()
    kernel = tree.text("/proc/sys/kernel/osrelease") or uname.release
    container = any(tree.exists(mark) for mark in _CONTAINER_MARKS) or _says_container(tree)
    return {
        "system": uname.sysname,
        "machine": uname.machine,
        "kernel": kernel,
        "wsl": "microsoft" in kernel.lower(),
        "container": container,
        "jetson": jetson(tree),
        "kubernetes_node": any(tree.exists(mark) for mark in _KUBELET_MARKS),
        "gpu_operator": any(tree.exists(mark) for mark in _OPERATOR_MARKS),
        "selinux": _selinux(tree, uname.sysname, container),
        "cgroup_version": _cgroup_version(tree),
    }


def _selinux(tree, system, container):
    """enforcing, permissive or disabled. A container is shown nothing of it, whatever its host does."""
    state = {"1": "enforcing", "0": "permissive"}.get(tree.text(_SELINUX + "/enforce"))
    return state or (None if container or system != "Linux" else "disabled")


def _cgroup_version(tree):
    """2 where all controllers are in the one hierarchy, 1 where they have their own; a mixture counts as 1, as engines take it."""
    if tree.exists(_CGROUPS + "/cgroup.controllers"):
        return 2
    return 1 if tree.names(_CGROUPS) else None


def tegra_chips(tree):
    """NVIDIA's systems on a chip in the device tree, such as tegra234."""
    for base in _DEVICE_TREE:
        names = (tree.text(base + "/compatible") or "").split("\0")
        chips = [name.partition(",")[2] for name in names if name.startswith("nvidia,tegra")]
        if chips:
            return chips
    return []


def jetson(tree):
    """The model of a board with such a chip, None for every other system."""
    if not tegra_chips(tree) and not tree.exists("/etc/nv_tegra_release"):
        return None
    for base in _DEVICE_TREE:
        model = (tree.text(base + "/model") or "").strip("\0 \n")
        if model:
            return model
    return "NVIDIA Tegra"


def _says_container(tree):
    environment = tree.data_if_allowed("/proc/1/environ") or b""
    return any(entry.startswith(b"container=") for entry in environment.split(b"\0"))
