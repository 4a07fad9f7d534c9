# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be done for each file. Nothing is changed here."""

from __future__ import annotations

import os
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._download.partial import Partial
from ansible_collections.prositronic.infra.plugins.module_utils._download.remote import Remote, probe
from ansible_collections.prositronic.infra.plugins.module_utils._download.wanted import Wanted
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import safe_url


class Step(NamedTuple):
    """C(action): keep (recorded as whole), check (its content has to be read), fetch, resume, repair (what is there becomes the start)."""

    file: Wanted
    action: str
    reason: str
    remote: Remote
    remaining_bytes: int

    @property
    def fetches(self):
        return self.action in ("fetch", "resume", "repair")


def is_kept(file, manifest):
    """Whether C(file) is there and recorded as what is wanted, so that nobody need be asked."""
    row = manifest.row(file.path)
    if file.url is None and file.sha256 is None:
        return os.path.isfile(file.path)
    if row is None:
        return False
    return row["sha256"] == file.sha256 if file.sha256 else row["url"] == (file.url and safe_url(file.url))


def plan_step(file, manifest, ask, always):
    """C(ask): a URL → its Remote. C(always): read the content even where it is recorded."""
    if is_kept(file, manifest):
        size = os.stat(file.path).st_size
        known = manifest.row(file.path)
        action = "check" if always and (known or file.sha256) else "keep"
        return Step(file, action, "recorded as whole", Remote(size, file.sha256 or (known or {}).get("sha256")), 0)
    if file.url is None:
        return local_step(file)
    remote = remote_for(file, manifest, ask)
    try:
        there = os.stat(file.path).st_size
    except FileNotFoundError:
        return fetch_step(file, remote, "not there")
    recorded = manifest.row(file.path)
    if recorded is not None and file.sha256:
        return fetch_step(file, remote, "another version is wanted")
    if there == remote.size_bytes:
        return Step(file, "check", "there, but not recorded", remote, 0)
    if there < remote.size_bytes and remote.sha256 and not Partial(file.path).usable_bytes(safe_url(file.url), remote):
        return Step(file, "repair", f"cut short at {there} bytes", remote, remote.size_bytes - there)
    return fetch_step(file, remote, f"{there} bytes are there")


def fetch_step(file, remote, reason):
    usable = Partial(file.path).usable_bytes(safe_url(file.url), remote)
    return Step(file, "resume" if usable else "fetch", reason, remote, remote.size_bytes - usable)


def remote_for(file, manifest, ask):
    """What the file will be: as listed, else as its server says; the checksum given, the server's, or the one recorded for this URL."""
    if file.sha256 and file.size_bytes is not None:
        return Remote(file.size_bytes, file.sha256)
    remote = ask(file.url)
    if file.sha256 and remote.sha256 and remote.sha256 != file.sha256:
        fix = "Check the URL, the revision and the checksum."
        raise InfraError("the server has another file than the one wanted", where=safe_url(file.url), got=remote.sha256, expected=file.sha256, fix=fix)
    return remote._replace(sha256=file.sha256 or remote.sha256)


def asker(client, patience):
    return lambda url: patience.calls(probe, client, url)


def local_step(file):
    """Raises InfraError where the file is missing: nobody can fetch it."""
    if not os.path.isfile(file.path):
        raise InfraError("the file is not on the node", where=file.path, fix="Check the path, or give a URL to download it from.")
    return Step(file, "check", "there, but not recorded", Remote(os.stat(file.path).st_size, file.sha256), 0)
