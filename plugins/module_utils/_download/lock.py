# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One download in a directory at a time. The lock goes with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os


class Lock:
    def __init__(self, path):
        self._path = path
        self.handle = None

    def take(self):
        """Whether it is ours now."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self.handle = handle
        return True

    def leave(self):
        """Closes this process's handle; a process forked from it keeps the lock by its own."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None
