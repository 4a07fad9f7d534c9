# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A download in the background: starting it, finding it again, waiting for it."""

from __future__ import annotations

import os
import time
import uuid

from ansible_collections.prositronic.infra.plugins.module_utils._download.bring import Bringer
from ansible_collections.prositronic.infra.plugins.module_utils._download.detach import detach
from ansible_collections.prositronic.infra.plugins.module_utils._download.lock import Lock
from ansible_collections.prositronic.infra.plugins.module_utils._download.progress import Progress, read_state
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

_LOOK_SECONDS = 0.2


def start_or_join(request, files):
    """The id of a job that brings C(files): a new one, or the one that is at it already."""
    os.makedirs(os.path.dirname(request.own("lock")), exist_ok=True)
    lock, digest = Lock(request.own("lock")), request.digest(files)
    state = take(request, lock, digest)
    if state is not None:
        return state["job"]
    try:
        progress = Progress(request.own("state.json"), uuid.uuid4().hex, digest)
        progress.write()
        detach(lambda: _work(request, files, progress), lock.handle)
        return progress.state["job"]
    finally:
        lock.leave()


def take(request, lock, digest):
    """None with the lock taken, or the state of a download of the same files. Raises InfraError where another one takes too long."""
    deadline = time.monotonic() + request.lock_timeout
    while not lock.take():
        state = read_state(request.own("state.json"))
        if state.get("status") == "running" and state.get("request") == digest:
            return state
        if time.monotonic() >= deadline:
            raise InfraError(
                "another download holds the lock of this directory",
                where=request.directory,
                got=f"process {state.get('pid')} on {state.get('host')} since {state.get('started')}: {state.get('progress')}",
                fix="Run again when it is done, raise lock_timeout, or end that process: what it has fetched is kept.",
            )
        time.sleep(_LOOK_SECONDS)
    return None


def follow(request, job, seconds):
    """The state of C(job) when it has ended, or after C(seconds)."""
    deadline = time.monotonic() + seconds
    while True:
        state = read_state(request.own("state.json"))
        if state.get("job") != job:
            raise InfraError("this download is not known here", where=request.directory, got=f"job {job}", fix="Run again without job.")
        if state["status"] != "running":
            return state
        lock = Lock(request.own("lock"))
        if lock.take():
            lock.leave()
            # It may have ended between the two looks.
            state = read_state(request.own("state.json"))
            if state.get("job") == job and state["status"] == "running":
                fix = "Run again: it goes on with what is there."
                raise InfraError("the download was interrupted", where=request.directory, got=state["progress"], fix=fix)
            continue
        if time.monotonic() >= deadline:
            return state
        time.sleep(min(_LOOK_SECONDS, max(deadline - time.monotonic(), 0.01)))


def _work(request, files, progress):
    progress.state["pid"] = os.getpid()
    progress.write()
    try:
        manifest = request.manifest()
        rows = Bringer(request, request.client(True), manifest, progress).bring(files)
        request.remember(manifest, files)
        progress.end("done", result=rows)
    except Exception as error:  # whatever it is, somebody waits for a word
        known = isinstance(error, (InfraError, OSError))
        progress.end("failed", message=str(error) if known else f"{type(error).__name__}: {error}")
