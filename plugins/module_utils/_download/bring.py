# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does what was planned, file by file."""

from __future__ import annotations

import os

from ansible_collections.prositronic.infra.plugins.module_utils._download.checksum import file_sha256
from ansible_collections.prositronic.infra.plugins.module_utils._download.partial import Partial, set_aside
from ansible_collections.prositronic.infra.plugins.module_utils._download.patience import Patience
from ansible_collections.prositronic.infra.plugins.module_utils._download.plan import asker, fetch_step, plan_step, remote_for
from ansible_collections.prositronic.infra.plugins.module_utils._download.space import check_space
from ansible_collections.prositronic.infra.plugins.module_utils._download.transfer import Changed, transfer
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import safe_url

MODE = 0o644
# For one file, which may change on the server while it is fetched.
_TRIES = 3


class Bringer:
    """C(request): see request.py."""

    def __init__(self, request, client, manifest, progress):
        self._request = request
        self._client = client
        self._manifest = manifest
        self._progress = progress
        self._ask = asker(client, self._patience())

    def bring(self, files):
        """Returns a row for each file: path, url, size_bytes, sha256, action, and fetched_bytes."""
        steps = [plan_step(file, self._manifest, self._ask, self._request.always) for file in files]
        steps = [self._checked(number, step, len(steps)) for number, step in enumerate(steps, 1)]
        fetching = [step for step in steps if step.fetches]
        for directory in sorted({os.path.dirname(step.file.path) for step in fetching}):
            os.makedirs(directory, exist_ok=True)
            check_space(directory, sum(step.remaining_bytes for step in fetching if os.path.dirname(step.file.path) == directory))
        self._progress.begin(sum(step.remaining_bytes for step in fetching), len(steps))
        return [self._fetched(number, step) if step.fetches else row_of(step, self._manifest) for number, step in enumerate(steps, 1)]

    def _patience(self):
        return Patience(self._request.retries, say=self._progress.note)

    def _checked(self, number, step, count):
        """C(step), or the one that replaces a file whose content is wrong."""
        if step.action != "check":
            return step
        file, expected = step.file, step.remote.sha256 or self._expected(step)
        self._progress.state["files"] = count
        self._progress.file(number, file.path, "checking")
        got = file_sha256(file.path, self._progress.checked)
        if expected in (None, got):
            self._manifest.record(file.path, file.url and safe_url(file.url), got)
            return step
        if file.url is None:
            raise mismatch(file.path, got, expected, "Bring the file to the node again.")
        bad = set_aside(file.path, file.path, got)
        self._progress.note(f"{file.path} has the wrong content (got {got}, expected {expected}) and is kept as {bad}")
        return fetch_step(file, remote_for(file, self._manifest, self._ask), "its content was wrong")

    def _expected(self, step):
        """A file that was recorded from this URL and touched since has to be what it was."""
        row = self._manifest.old_row(step.file.path)
        same = row.get("url") == (step.file.url and safe_url(step.file.url)) and row.get("size_bytes") == step.remote.size_bytes
        return row.get("sha256") if same else None

    def _fetched(self, number, step):
        file, remote = step.file, step.remote
        self._progress.file(number, file.path, "downloading")
        if step.action == "repair":
            Partial(file.path).adopt(safe_url(file.url), remote)
        before = self._progress.state["received_bytes"]
        for tries_left in reversed(range(_TRIES)):
            partial = Partial(file.path)
            try:
                self._fetch(file, remote, partial)
                break
            except _Anew as error:
                if not tries_left:
                    raise InfraError(str(error)) from None
                self._progress.note(f"{error}: starting anew")
                remote = remote_for(file, self._manifest, self._ask)
                self._progress.again(remote.size_bytes)
            finally:
                partial.close()
        self._manifest.record(file.path, safe_url(file.url), partial.sha256())
        return {**row_of(step, self._manifest), "size_bytes": partial.size, "fetched_bytes": self._progress.state["received_bytes"] - before}

    def _fetch(self, file, remote, partial):
        """In the end the file is there under its name."""
        partial.open(safe_url(file.url), remote, self._progress.checked)
        kept = partial.size
        try:
            progress, patience = self._progress, self._patience()
            transfer(self._client, file.url, remote, partial, patience, self._request.timeout, progress.received, progress.note)
        except Changed as error:
            raise _Anew(str(error)) from None
        sha256 = partial.sha256()
        if remote.sha256 in (None, sha256):
            partial.finish(MODE)
            return
        bad = partial.set_aside(sha256)
        if kept:  # what was there before may be what is wrong
            raise _Anew(f"{file.path}: the SHA-256 checksum is {sha256}, not {remote.sha256}; what there was is kept as {bad}")
        raise mismatch(safe_url(file.url), sha256, remote.sha256, f"What came is kept as {bad}. Run again to fetch it anew, or check the source.")


class _Anew(Exception):
    """The part that is there is of no use."""


def mismatch(where, got, expected, fix):
    return InfraError("the SHA-256 checksum is wrong", where=where, got=got, expected=expected, fix=fix)


def row_of(step, manifest):
    known = manifest.row(step.file.path) or {}
    return {
        "path": step.file.path,
        "url": step.file.url and safe_url(step.file.url),
        "size_bytes": step.remote.size_bytes,
        "sha256": known.get("sha256") or step.remote.sha256,
        "action": step.action,
        "reason": step.reason,
        "fetched_bytes": 0,
    }
