# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server was last healthy with: its files as they were, and the marks of what it reads when it starts.

It is what a version that doesn't become healthy is replaced with, also after a run that was cut short, and what says which files are ours.
"""

from __future__ import annotations

import os

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import read_json, remove, write_json
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._service.deployment import deployment
from ansible_collections.prositronic.infra.plugins.module_utils._service.files import remove_empty

SCHEMA = 1


class Memory:
    """C(directory): where those of all servers lie; C(name): the server's."""

    def __init__(self, directory, name):
        self.directory = directory
        self.path = os.path.join(directory, f"{name}.json")
        value = read_json(self.path)
        self.marks = value.get("marks") if isinstance(value.get("marks"), dict) else {}
        self.known_paths = _texts(value.get("paths"))
        self.brought = _texts(value.get("brought"))
        try:
            self.deployment = deployment(value["deployment"]) if value.get("deployment") and value.get("schema") == SCHEMA else None
        except InfraError:
            self.deployment = None

    def note_paths(self, paths):
        """Before files are written: they are ours from now on, whatever happens next."""
        self.known_paths = tuple(dict.fromkeys((*self.known_paths, *paths)))
        self._write()

    def note_brought(self, what):
        """It is on the node for this server; see leftovers.py."""
        if what not in self.brought:
            self.brought = (*self.brought, what)
            self._write()

    def note_healthy(self, made, marks):
        """The server is healthy with C(made)."""
        if (self.deployment, self.marks, self.known_paths) != (made, marks, made.paths):
            self.deployment, self.marks, self.known_paths = made, marks, made.paths
            self._write()

    def others(self):
        """Those of the other servers."""
        names = sorted(os.listdir(self.directory)) if os.path.isdir(self.directory) else []
        found = [Memory(self.directory, name[: -len(".json")]) for name in names if name.endswith(".json")]
        return [memory for memory in found if memory.path != self.path]

    def forget(self):
        """Whether there was something to forget."""
        there = remove(self.path)
        remove_empty(self.directory)
        return there

    def _write(self):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        previous = os.umask(0o077)
        try:
            plain = self.deployment.plain() if self.deployment else None
            value = {"schema": SCHEMA, "deployment": plain, "marks": self.marks, "paths": list(self.known_paths), "brought": list(self.brought)}
            write_json(self.path, value)
        finally:
            os.umask(previous)


def _texts(value):
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
