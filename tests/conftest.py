# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Lets plain pytest import the collection by its full name from a checkout of any name."""

from __future__ import annotations

import os
import pathlib
import tempfile

import pytest
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

ROOT = pathlib.Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Install ansible's own collection finder over a temporary tree of links; ansible-test has installed one already."""
    if AnsibleCollectionConfig.collection_finder is not None:
        return
    tree = tempfile.TemporaryDirectory(prefix="collections-")
    config.add_cleanup(tree.cleanup)
    link = pathlib.Path(tree.name, "ansible_collections", "prositronic", "infra")
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT, target_is_directory=True)
    # For tests that start ansible as a program.
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = tree.name
    _AnsibleCollectionFinder(paths=[tree.name])._install()
