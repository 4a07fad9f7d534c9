# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way from what is there to what is wanted: what the module calls."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import remove
from ansible_collections.prositronic.infra.plugins.module_utils._download.bring import row_of
from ansible_collections.prositronic.infra.plugins.module_utils._download.job import follow, start_or_join, take
from ansible_collections.prositronic.infra.plugins.module_utils._download.lock import Lock
from ansible_collections.prositronic.infra.plugins.module_utils._download.partial import Partial
from ansible_collections.prositronic.infra.plugins.module_utils._download.patience import Patience
from ansible_collections.prositronic.infra.plugins.module_utils._download.plan import asker, is_kept, local_step, plan_step
from ansible_collections.prositronic.infra.plugins.module_utils._download.space import check_space
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.units import size_text


@dataclass
class Outcome:
    """C(files): a row for each, as bring.py returns them. Not C(finished): C(job) goes on."""

    changed: bool = False
    finished: bool = True
    job: str = None
    files: list = field(default_factory=list)
    progress: str = "done"
    notes: list = field(default_factory=list)


FETCHES = ("fetch", "resume", "repair")


def present(request, seconds, check_mode):
    """Waits up to C(seconds) for what has to be fetched."""
    manifest = request.manifest()
    files = request.wanted(manifest)
    for file in files:
        if file.url is None:
            local_step(file)
    if not request.always and all(is_kept(file, manifest) for file in files):
        return Outcome(files=[row_of(plan_step(file, manifest, None, False), manifest) for file in files])
    if check_mode:
        return _predicted(request, manifest, files)
    return attach(request, start_or_join(request, files), seconds)


def attach(request, job, seconds):
    """What C(job) came to, or how far it is."""
    state = follow(request, job, seconds)
    if state["status"] == "failed":
        notes = [f" Before that: {note}" for note in state["notes"][-3:]]
        raise InfraError("".join([state["message"], *notes]))
    rows = state.get("result", [])
    running = state["status"] == "running"
    changed = running or any(row["action"] in FETCHES for row in rows)
    return Outcome(changed, not running, job, rows, state["progress"], state["notes"])


def absent(request, check_mode):
    """Removes what was downloaded, whole or in part. Files that were there before any download stay, and so does what was set aside."""
    if not os.path.isdir(request.directory):
        return Outcome()
    manifest, lock = request.manifest(), Lock(request.own("lock"))
    files = [file for file in request.wanted(manifest, recorded_will_do=True) if file.url is not None]
    there = [file for file in files if any(os.path.lexists(path) for path in (file.path, Partial(file.path).path))]
    rows = [{"path": file.path, "url": None, "size_bytes": None, "sha256": None, "action": "remove", "reason": "there", "fetched_bytes": 0} for file in there]
    if there and not check_mode:
        os.makedirs(os.path.dirname(request.own("lock")), exist_ok=True)
        take(request, lock, None)
        try:
            for file in there:
                remove(file.path)
                Partial(file.path).discard()
                manifest.forget(file.path)
        finally:
            lock.leave()
    return Outcome(changed=bool(there), files=rows)


def _predicted(request, manifest, files):
    ask = asker(request.client(True), Patience(request.retries))
    steps = [plan_step(file, manifest, ask, request.always) for file in files]
    fetching = [step for step in steps if step.fetches]
    needed = sum(step.remaining_bytes for step in fetching)
    check_space(request.directory, needed)
    rows = [{**row_of(step, manifest), "fetched_bytes": step.remaining_bytes} for step in steps]
    progress = f"would fetch {len(fetching)} of {len(steps)} files, {size_text(needed)}" if fetching else "nothing to fetch"
    return Outcome(changed=bool(fetching), files=rows, progress=progress)
