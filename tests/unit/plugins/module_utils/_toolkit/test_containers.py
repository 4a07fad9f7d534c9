# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.containers import read

MONITORS = {
    "docker": "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0abc",
    "containerd": "/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0abc",
    "podman": "/usr/bin/conmon\0--api-version\x001\0-r\0/usr/bin/crun\0-b\0/var/lib/containers/storage/x",
    "crio": "/usr/bin/conmon\0-b\0/var/run/containers/storage/x/userdata\0-p\0/run/crio/pid",
}


class Proc:
    def __init__(self, root):
        self._root = root

    def add(self, number, command, parent, gpu=None, mounts=""):
        folder = self._root / "proc" / str(number)
        (folder / "root" / "dev").mkdir(parents=True)
        (folder / "cmdline").write_text(command)
        (folder / "stat").write_text(f"{number} (a (strange) name) S {parent} 1 1 0")
        (folder / "mountinfo").write_text(mounts)
        if gpu:
            (folder / "root" / "dev" / gpu).touch()

    def read(self):
        return read(Tree(str(self._root)))


@pytest.fixture
def proc(tmp_path):
    made = Proc(tmp_path)
    made.add(1, "/sbin/init", 0, gpu="nvidiactl")
    return made


@pytest.mark.parametrize("engine", MONITORS)
def test_containers_are_counted_under_their_engine(proc, engine):
    proc.add(100, MONITORS[engine], 1, gpu="nvidia0")
    proc.add(101, "sleep\x00600", 100, gpu="nvidiactl")
    proc.add(200, MONITORS[engine], 1, gpu="nvidia0")
    proc.add(201, "sleep\x00600", 200)
    # A process of a container that is no container of its own.
    proc.add(102, "nvidia-smi", 101, gpu="nvidia0")
    assert proc.read() == {engine: {"running": 2, "gpu": 1}}


def test_a_rootless_container_is_known_by_its_mounts(proc):
    proc.add(100, MONITORS["podman"], 1)
    proc.add(101, "llama-server", 100, mounts="22 21 0:5 /nvidia0 /dev/nvidia0 rw - devtmpfs udev rw\n")
    proc.add(102, "other", 100, mounts="22 21 0:5 /srv/nvidia-docs /srv/nvidia-docs rw - ext4 a rw\n")
    assert proc.read() == {"podman": {"running": 2, "gpu": 1}}


def test_the_node_itself_is_no_container(proc):
    proc.add(50, "/usr/bin/dockerd", 1, gpu="nvidia0")
    proc.add(51, "/usr/bin/containerd", 1, gpu="nvidia0")
    assert proc.read() == {}
