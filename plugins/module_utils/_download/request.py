# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody asks for, checked, and where it is worked on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._download.manifest import Manifest
from ansible_collections.prositronic.infra.plugins.module_utils._download.patience import Patience
from ansible_collections.prositronic.infra.plugins.module_utils._download.wanted import Wanted, is_pinned, listed_files, source_files
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.hub import DEFAULT_ENDPOINT, PREFIX
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.transport import Client
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import safe_url

# Beside the models: the lock, the state of the download that runs or ran last, the manifest.
OWN_DIRECTORY = ".downloads"


@dataclass(frozen=True)
class Request:
    """C(source) or C(files), the other is None. C(always): read the content of what is there, too."""

    directory: str
    source: str = None
    files: tuple = None
    sha256: tuple = ()
    endpoint: str = None
    token: str = None
    timeout: float = 60
    retries: int = 8
    always: bool = False
    lock_timeout: int = 300

    def __post_init__(self):
        if not os.path.isabs(self.directory):
            raise InfraError("the directory needs its full path", where="directory", got=shown(self.directory))
        for name, least in (("retries", 0), ("lock_timeout", 0)):
            if getattr(self, name) < least:
                raise InfraError("too small", where=name, got=getattr(self, name), expected=f"at least {least}")

    def own(self, name):
        return os.path.join(self.directory, OWN_DIRECTORY, name)

    def manifest(self):
        return Manifest(self.own("manifest.json"))

    def client(self, whole_files):
        return Client(self.endpoint or DEFAULT_ENDPOINT, self.token, self.timeout, whole_files)

    def wanted(self, manifest, recorded_will_do=False):
        """The Wanted of each file. The hub is not asked for a commit it was asked for before, or where C(recorded_will_do)."""
        if self.source is None:
            return listed_files(self.files, self.directory)
        recorded = manifest.source(self.source)
        if recorded and (recorded_will_do or is_pinned(self.source)):
            return [Wanted(*row) for row in recorded]
        ask = Patience(self.retries).calls
        return ask(source_files, self.source, self.directory, self.client(False), self.endpoint or DEFAULT_ENDPOINT, self.sha256)

    def remember(self, manifest, files):
        """Only what the hub listed: an address that somebody gave may carry a secret."""
        if self.source is not None and self.source.startswith(PREFIX):
            manifest.remember(self.source, [list(file) for file in files])

    def digest(self, files):
        """The same for two requests that come to the same."""
        rows = [(file.path, file.url and safe_url(file.url), file.sha256) for file in files]
        return hashlib.sha256(json.dumps([rows, self.always]).encode()).hexdigest()
