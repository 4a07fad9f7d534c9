# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit import node, system


@pytest.fixture
def files(tmp_path):
    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return Tree(str(tmp_path))

    return write


@pytest.mark.parametrize(
    ("release", "programs", "family", "manager", "architecture"),
    [
        ('ID=debian\nVERSION_ID="13"\n', ["apt-get"], "debian", "apt", "amd64"),
        ("ID=ubuntu\nID_LIKE=debian\n", ["apt-get"], "debian", "apt", "amd64"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\n", ["apt-get"], "debian", "apt", "amd64"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', ["dnf", "yum", "apt-get"], "redhat", "dnf", "x86_64"),
        ('ID="amzn"\nID_LIKE="centos rhel fedora"\n', ["yum"], "redhat", "yum", "x86_64"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', ["zypper"], "suse", "zypper", "x86_64"),
        ('ID="sles"\n', ["zypper"], "suse", "zypper", "x86_64"),
        ("ID=arch\n", ["pacman"], None, None, "x86_64"),
    ],
)
def test_the_system_is_known_by_its_release_file(files, release, programs, family, manager, architecture):
    found = system.read(files("etc/os-release", release), "x86_64", lambda name: name if name in programs else None)
    assert (found["family"], found["manager"], found["architecture"]) == (family, manager, architecture)


def test_selinux_and_dgx_are_seen(files):
    tree = files("sys/fs/selinux/enforce", "1")
    files("sys/fs/selinux/booleans/container_use_devices", "0 0")
    files("etc/dgx-release", "")
    found = system.read(tree, "x86_64", lambda name: None)
    assert found["selinux"] == {"enforcing": True, "container_use_devices": False}
    assert found["vendor_image"] == "DGX OS"


SHOWN = """LoadState=loaded
ActiveState=active
ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// --add-runtime=x=/y ; ignore_errors=no ; start_time=[n/a] }
"""


def test_a_daemon_is_known_with_its_arguments(files):
    tree = files("run/systemd/system/a", "")

    def run(command):
        return (0, SHOWN, "") if command[-1] == "docker.service" else (0, "LoadState=not-found\nActiveState=inactive\n", "")

    found = node.read(tree, "x86_64", lambda name: None, run, [])
    assert found["daemons"] == {
        "docker": {"unit": "docker.service", "active": True, "arguments": ["-H", "fd://", "--add-runtime=x=/y"]},
        "containerd": None,
        "crio": None,
    }


@pytest.mark.parametrize(("text", "version"), [("", None), ("# a\nversion = 3\n", 3), ("version=2\n", 2), ("[plugins]\n", 1)])
def test_the_format_of_containerd_s_file_is_known(files, text, version):
    tree = files("etc/containerd/config.toml", text)
    assert node.read(tree, "x86_64", lambda name: None, lambda command: (1, "", ""), [])["containerd_version"] == version


def test_settings_of_the_refresh_are_read(files):
    tree = files("etc/nvidia-container-toolkit/nvidia-cdi-refresh.env", "# A=1\nNVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS=a,b\n")
    found = node.read(tree, "x86_64", lambda name: None, lambda command: (1, "", ""), [])
    assert found["refresh_settings"] == {"NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS": "a,b"}
