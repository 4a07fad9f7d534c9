# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known to be whole: size, time of change and checksum of each file when its content was last read.

A file that still has its size and its time of change is taken for unchanged, so that no run reads hundreds of GiB again.
"""

from __future__ import annotations

import os

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import read_json, write_json

SCHEMA = 1


class Manifest:
    def __init__(self, path):
        self._path = path
        content = read_json(path)
        current = content.get("schema") == SCHEMA
        self._files = {name: row for name, row in _objects(content, "files") if isinstance(row, dict)} if current else {}
        self._sources = {name: rows for name, rows in _objects(content, "sources") if isinstance(rows, list)} if current else {}

    def row(self, path):
        """{url, size_bytes, mtime_ns, sha256} of a file that is as it was recorded, else None."""
        row = self._files.get(path)
        try:
            status = os.stat(path)
        except OSError:
            return None
        return row if row and (row.get("size_bytes"), row.get("mtime_ns")) == (status.st_size, status.st_mtime_ns) else None

    def old_row(self, path):
        """The same of a file that may have changed or vanished."""
        return self._files.get(path) or {}

    def record(self, path, url, sha256):
        status = os.stat(path)
        self._files[path] = {"url": url, "size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": sha256}
        self._write()

    def forget(self, path):
        if self._files.pop(path, None) is not None:
            self._write()

    def source(self, source):
        """What C(remember) was given for C(source), or None."""
        return self._sources.get(source)

    def remember(self, source, rows):
        """C(rows): the [path, url, sha256, size_bytes] of each file of a source."""
        if self._sources.get(source) != rows:
            self._sources[source] = rows
            self._write()

    def _write(self):
        write_json(self._path, {"schema": SCHEMA, "sources": self._sources, "files": self._files})


def _objects(content, key):
    value = content.get(key)
    return value.items() if isinstance(value, dict) else ()
