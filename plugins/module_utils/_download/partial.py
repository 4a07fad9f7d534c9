# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file on its way: NAME.partial, and beside it NAME.partial.json, the journal that says what it is a part of."""

from __future__ import annotations

import hashlib
import os
import time

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import read_json, remove, sync_directory, write_json
from ansible_collections.prositronic.infra.plugins.module_utils._download.checksum import file_sha256
from ansible_collections.prositronic.infra.plugins.module_utils._download.remote import Remote

# What a power loss costs at most: that much, or what came in that time.
_SYNC_BYTES = 256 * 1024 * 1024
_SYNC_SECONDS = 10
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Partial:
    def __init__(self, path):
        self.path = f"{path}.partial"
        self.size = 0
        self._journal = f"{self.path}.json"
        self._final = path
        self._stream = None
        self._digest = hashlib.sha256()
        self._identity = {}

    def usable_bytes(self, url, remote):
        """How much of it need not be fetched again if the file is C(remote)."""
        journal = read_json(self._journal)
        known = journal.get("remote")
        try:
            size = os.stat(self.path).st_size
            before = Remote(**known)
            synced = int(journal["synced_bytes"])
        except (OSError, TypeError, ValueError, KeyError):
            return 0
        by_content = before.sha256 and before.sha256 == remote.sha256
        if not before.is_same(remote) or not (by_content or journal.get("url") == url):
            return 0
        # What was written but not synced survives a killed process, not a machine that went down.
        if journal.get("boot_id") != _boot_id() or _boot_id() is None:
            size = min(size, synced)
        return min(size, remote.size_bytes)

    def open(self, url, remote, progress=None):
        """Goes on behind the usable bytes, which are read again for the checksum."""
        self.size = self.usable_bytes(url, remote)
        self._identity = {"url": url, "remote": remote._asdict()}
        self._stream = open(self.path, "r+b" if self.size else "wb", buffering=0)  # noqa: SIM115 - closed by close
        self._stream.truncate(self.size)
        if self.size:
            file_sha256(self.path, progress, self._digest)
        self._stream.seek(self.size)
        self._sync()

    def adopt(self, url, remote):
        """Makes the file under its final name, cut short, the part that is there already."""
        os.replace(self._final, self.path)
        self._identity = {"url": url, "remote": remote._asdict()}
        self._note(os.stat(self.path).st_size)

    def restart(self):
        self._stream.seek(0)
        self._stream.truncate(0)
        self.size, self._digest = 0, hashlib.sha256()
        self._sync()

    def write(self, chunk):
        view = memoryview(chunk)
        while view:
            view = view[self._stream.write(view) :]
        self._digest.update(chunk)
        self.size += len(chunk)
        if self.size - self._synced >= _SYNC_BYTES or time.monotonic() - self._synced_at >= _SYNC_SECONDS:
            self._sync()

    def sha256(self):
        return self._digest.hexdigest()

    def close(self):
        """Keeps what is there for another try."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def finish(self, mode):
        """Gives it its final name, in one step."""
        os.fsync(self._stream.fileno())
        self.close()
        os.chmod(self.path, mode)
        os.replace(self.path, self._final)
        remove(self._journal)
        sync_directory(os.path.dirname(self._final))

    def discard(self):
        self.close()
        return [path for path in (self.path, self._journal) if remove(path)]

    def set_aside(self, sha256):
        """Keeps what turned out wrong under a name that nobody uses; returns that."""
        self.close()
        remove(self._journal)
        return set_aside(self.path, self._final, sha256)

    def _sync(self):
        os.fsync(self._stream.fileno())
        self._note(self.size)

    def _note(self, synced):
        self._synced, self._synced_at = synced, time.monotonic()
        write_json(self._journal, {**self._identity, "synced_bytes": synced, "boot_id": _boot_id()})


def set_aside(path, name, sha256):
    """Renames C(path) to C(name).bad-CHECKSUM, an older one of the same content is replaced."""
    bad = f"{name}.bad-{sha256[:12]}"
    os.replace(path, bad)
    return bad


def _boot_id():
    try:
        with open(_BOOT_ID, encoding="ascii") as stream:
            return stream.read().strip()
    except OSError:
        return None
