# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The NVIDIA Container Toolkit and its packages."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import toolkit
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

CTK = "NVIDIA Container Toolkit CLI version 1.20.0\ncommit: 1a2b3c4d\n"


class Programs:
    def __init__(self, **said):
        self._said = said

    def has(self, name):
        return name in self._said

    def start(self, *command):
        pass

    def run(self, name, *arguments):
        return (0, self._said[name], "") if name in self._said else (127, "", "not installed")


def dpkg(*packages):
    """dpkg's file with (name, state, version)."""
    return "\n".join(
        f"Package: {name}\nStatus: {state}\nPriority: optional\nArchitecture: amd64\nVersion: {version}\nDescription: a package\n about containers\n"
        for name, state, version in packages
    )


def test_a_node_without_it(node):
    assert toolkit.read(Tree(node({"/var/lib/dpkg/status": dpkg(("bash", "install ok installed", "5.2-1"))})), Programs()) == (None, ())


def test_packages_of_debian(node):
    installed = "install ok installed"
    status = dpkg(
        ("libnvidia-container1", installed, "1.20.0-1"),
        ("bash", installed, "5.2-1"),
        ("nvidia-container-toolkit", installed, "1.20.0-1"),
        ("libnvidia-container-tools", "deinstall ok config-files", "1.17.8-1"),
        ("nvidia-driver-580", installed, "580.95.05-0ubuntu1"),
    )
    found, problems = toolkit.read(Tree(node({"/var/lib/dpkg/status": status})), Programs(**{"nvidia-ctk": CTK}))
    assert found == {"version": "1.20.0", "packages": {"nvidia-container-toolkit": "1.20.0-1", "libnvidia-container1": "1.20.0-1"}}
    assert problems == ()


def test_packages_of_rpm(node):
    said = "package nvidia-docker2 is not installed\nnvidia-container-toolkit 1.20.0-1\nnvidia-container-toolkit-base 1.20.0-1\n"
    found, problems = toolkit.read(Tree(node()), Programs(**{"nvidia-ctk": CTK, "rpm": said}))
    assert found["packages"] == {"nvidia-container-toolkit": "1.20.0-1", "nvidia-container-toolkit-base": "1.20.0-1"}
    assert problems == ()


def test_a_toolkit_from_no_package(node):
    assert toolkit.read(Tree(node()), Programs(**{"nvidia-ctk": CTK})) == ({"version": "1.20.0", "packages": {}}, ())


def test_packages_whose_program_is_gone(node):
    found, _problems = toolkit.read(Tree(node()), Programs(rpm="libnvidia-container1 1.17.8-1\n"))
    assert found == {"version": "1.17.8", "packages": {"libnvidia-container1": "1.17.8-1"}}


def test_packages_of_different_versions_are_a_problem(node):
    said = "nvidia-container-toolkit 1.20.0-1\nlibnvidia-container1 1.17.8-1\n"
    _found, (problem,) = toolkit.read(Tree(node()), Programs(rpm=said))
    assert problem.code == "toolkit_packages_differ"
    assert "nvidia-container-toolkit 1.20.0, libnvidia-container1 1.17.8" in problem.message
