# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Container engines, and whether they take CDI devices."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import engines
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree


class Engines:
    """Programs that print these versions."""

    def __init__(self, **said):
        self._said = said

    def has(self, name):
        return name in self._said

    def start(self, *command):
        assert command[1:] == ("--version",)

    def run(self, name, *arguments):
        return 0, self._said[name], ""


def one(root, user_id=0, **said):
    engines.start(Engines(**said))
    (found,) = engines.read(Tree(root), Engines(**said), user_id)
    return found


@pytest.mark.parametrize(
    "said, name, version",
    [
        ({"podman": "podman version 5.4.2\n"}, "podman", "5.4.2"),
        ({"podman": "podman version 5.6.0-dev\n"}, "podman", "5.6.0"),
        ({"docker": "Docker version 28.2.2, build e6534b4\n"}, "docker", "28.2.2"),
        ({"dockerd": "Docker version 27.5.1, build 4c9b3b0\n", "docker": "Docker version 29.0.0, build 1\n"}, "docker", "27.5.1"),
        ({"containerd": "containerd github.com/containerd/containerd/v2 2.1.3 c787fb98911740dd3ff2d0e45ce88cdf01410486\n"}, "containerd", "2.1.3"),
        ({"containerd": "containerd containerd.io 1.7.27 05044ec0a9a75232cad458027ca83437aae3f4da\n"}, "containerd", "1.7.27"),
        ({"containerd": "containerd github.com/k3s-io/containerd v1.7.23-k3s2\n"}, "containerd", "1.7.23"),
        ({"crio": "crio version 1.30.4\nVersion:        1.30.4\nGitCommit:      1234\n"}, "crio", "1.30.4"),
    ],
)
def test_versions(node, said, name, version):
    found = one(node(), **said)
    assert (found["name"], found["version"]) == (name, version)


def test_a_docker_that_is_podman_is_one_engine(node):
    said = "podman version 4.9.4\n"
    assert [found["name"] for found in engines.read(Tree(node()), Engines(podman=said, docker=said), 0)] == ["podman"]


def test_an_engine_that_does_not_answer_is_none(node):
    programs = Engines(podman="")
    programs.run = lambda name, *arguments: (124, "", "no answer within 10 s")
    assert engines.read(Tree(node()), programs, 0) == []


@pytest.mark.parametrize("version, able", [("3.4.4", False), ("4.0.2", False), ("4.1.0", True), ("5.4.2", True)])
def test_podman_takes_cdi_devices_since_4_1(node, version, able):
    assert one(node(), podman=f"podman version {version}")["cdi"] is able


@pytest.mark.parametrize(
    "version, settings, able",
    [
        ("24.0.7", '{"features": {"cdi": true}}', False),
        ("25.0.0", None, False),
        ("27.5.1", '{"features": {"cdi": true}}', True),
        ("27.5.1", '{"features": {"buildkit": true}}', False),
        ("28.1.1", None, False),
        ("28.2.0", None, True),
        ("29.0.0", '{"features": {"cdi": false}}', False),
        ("28.2.2", "{ not json", True),
        ("28.2.2", "[]", True),
    ],
)
def test_docker_takes_cdi_devices_by_version_and_setting(node, version, settings, able):
    files = {} if settings is None else {"/etc/docker/daemon.json": settings}
    assert one(node(files), dockerd=f"Docker version {version}, build 1")["cdi"] is able


@pytest.mark.parametrize(
    "version, files, able",
    [
        ("1.6.36", {"/etc/containerd/config.toml": "enable_cdi = true\n"}, False),
        ("1.7.27", {}, False),
        ("1.7.27", {"/etc/containerd/config.toml": '[plugins."io.containerd.grpc.v1.cri"]\n  enable_cdi = true\n'}, True),
        ("2.1.3", {"/etc/containerd/config.toml": "version = 3\n"}, True),
        ("2.1.3", {"/etc/containerd/config.toml": "enable_cdi = true\n", "/etc/containerd/conf.d/99-x.toml": "  enable_cdi = false\n"}, False),
        ("1.7.27", {"/etc/containerd/config.toml": "# enable_cdi = true\n"}, False),
        ("1.7.23", {"/var/lib/rancher/k3s/agent/etc/containerd/config.toml": "  enable_cdi = true\n"}, True),
    ],
)
def test_containerd_takes_cdi_devices_by_version_and_setting(node, version, files, able):
    assert one(node(files), containerd=f"containerd containerd.io {version} 05044ec")["cdi"] is able


def test_containerd_settings_for_other_users_only_leave_it_open(node, monkeypatch):
    tree = Tree(node())
    tree.denied.append("/etc/containerd/config.toml")
    (found,) = engines.read(tree, Engines(containerd="containerd containerd.io 2.1.3 1"), 1000)
    assert found["cdi"] is None


def test_whose_containers_run_without_root(node):
    assert one(node(), podman="podman version 5.4.2")["rootless"] is False
    assert one(node(), user_id=1000, podman="podman version 5.4.2")["rootless"] is True
    assert one(node(), docker="Docker version 28.2.2")["rootless"] is None
    root = node({"/run/docker.sock": "", "/run/user/1000/docker.sock": "", "/run/crio/crio.sock": ""})
    assert one(root, user_id=1000, docker="Docker version 28.2.2")["rootless"] is True
    assert one(root, user_id=1001, docker="Docker version 28.2.2")["rootless"] is False
    assert one(root, crio="crio version 1.30.4")["rootless"] is False
