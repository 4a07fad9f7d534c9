# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib

from ansible_collections.prositronic.infra.plugins.modules import nvidia_container_toolkit_info
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._toolkit import nodes

from . import process


def test_a_node_has_the_shape_that_the_steps_are_made_from():
    node = process.run_module(nvidia_container_toolkit_info, {})["node"]
    assert set(node) == set(nodes.INFO)
    assert set(nodes.INFO["system"]) <= set(node["system"])
    assert set(node["containers"]) == set(nodes.INFO["containers"])


def test_packages_in_a_folder_come_with_their_checksums(tmp_path):
    (tmp_path / "a_1_amd64.deb").write_bytes(b"a package")
    (tmp_path / "notes.txt").write_bytes(b"no package")
    node = process.run_module(nvidia_container_toolkit_info, {"directory": str(tmp_path)})["node"]
    assert node["files"] == {"a_1_amd64.deb": hashlib.sha256(b"a package").hexdigest()}


def test_a_folder_or_user_that_is_not_there_is_an_error(tmp_path):
    assert "no such directory" in process.run_module(nvidia_container_toolkit_info, {"directory": str(tmp_path / "none")})["msg"]
    assert "no such user" in process.run_module(nvidia_container_toolkit_info, {"users": ["nobody-of-this-name"]})["msg"]
