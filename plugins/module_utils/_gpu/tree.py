# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading /proc, /sys and /etc below a prefix. Private: not an interface for other collections."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple


class DeviceFile(NamedTuple):
    """A character device: whose it is, and which driver it leads to."""

    group_id: int
    mode: int
    major: int
    minor: int


class Tree:
    """The files below C(root). What isn't there, or can't be read, is None or empty: no source is certain to exist.

    C(denied) collects the paths that are there for other users only.
    """

    def __init__(self, root="/"):
        self._root = root
        self.denied = []

    def _path(self, path):
        return os.path.join(self._root, path.lstrip("/"))

    def place(self, path):
        """Where a file is for who opens it past this class."""
        return self._path(path)

    def data(self, path):
        """The bytes of a file, None where it can't be read."""
        try:
            with open(self._path(path), "rb") as file:
                return file.read()
        except PermissionError:
            self.denied.append(path)
            return None
        except OSError:
            return None

    def data_if_allowed(self, path):
        """The same for a file that is for root alone and that the facts do well without: nobody needs to be told."""
        before = list(self.denied)
        data = self.data(path)
        self.denied[:] = before
        return data

    def text(self, path):
        """The text of a file without the white space around it, None where it can't be read."""
        data = self.data(path)
        return None if data is None else data.decode("utf-8", "replace").strip()

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
        except PermissionError:
            self.denied.append(path)
            return []
        except OSError:
            return []

    def exists(self, path):
        """Whether there is anything at this path."""
        return os.path.lexists(self._path(path))

    def same(self, one, other):
        """Whether two paths lead to the same file or directory."""
        return os.path.realpath(self._path(one)) == os.path.realpath(self._path(other))

    def link(self, path):
        """What a symbolic link points to, None where there is no link."""
        try:
            return os.readlink(self._path(path))
        except OSError:
            return None

    def device(self, path):
        """The DeviceFile at a path, None for anything else."""
        try:
            found = os.stat(self._path(path))
        except OSError:
            return None
        if not stat.S_ISCHR(found.st_mode):
            return None
        return DeviceFile(found.st_gid, stat.S_IMODE(found.st_mode), os.major(found.st_rdev), os.minor(found.st_rdev))

    def may_open(self, path):
        """Whether this user may read and write a file."""
        return os.access(self._path(path), os.R_OK | os.W_OK)

    def space(self, path):
        """(total, free) bytes of the file system that holds C(path), or would hold it: its nearest directory that is there. None where unknown."""
        path = self._path(path)
        while not os.path.exists(path) and os.path.dirname(path) != path:
            path = os.path.dirname(path)
        try:
            found = os.statvfs(path)
        except OSError:
            return None
        # As for an ordinary user: the blocks kept for root don't count as free.
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
