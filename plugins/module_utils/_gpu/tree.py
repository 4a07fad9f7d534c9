# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading /proc and /sys below a prefix. Private: not an interface for other collections."""

from __future__ import annotations

import os


class Tree:
    """The files below C(root). What isn't there, or can't be read, is None or empty: no source is certain to exist."""

    def __init__(self, root="/"):
        self._root = root

    def _path(self, path):
        return os.path.join(self._root, path.lstrip("/"))

    def text(self, path):
        """The text of a file without the white space around it, None where it can't be read."""
        try:
            with open(self._path(path), "rb") as file:
                return file.read().decode("utf-8", "replace").strip()
        except OSError:
            return None

    def number(self, path, base=10):
        """The one number a file holds, None where it holds none."""
        try:
            return int(self.text(path) or "", base)
        except ValueError:
            return None

    def names(self, path):
        """The sorted names in a directory."""
        try:
            return sorted(os.listdir(self._path(path)))
        except OSError:
            return []

    def exists(self, path):
        """Whether there is anything at this path."""
        return os.path.lexists(self._path(path))

    def link_name(self, path):
        """The last part of what a symbolic link points to, None where there is no link."""
        try:
            return os.path.basename(os.readlink(self._path(path)))
        except OSError:
            return None
