# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting until a release serves, and saying why it doesn't. Private: not an interface for other collections."""

from __future__ import annotations

import time

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import logs, pods
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.release import INSTANCE, KINDS
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report

LOOK_SECONDS = 2
PATIENCE_SECONDS = 60
"""A registry that does not answer, or a Secret that is made a moment later, is no reason to give up."""
MOST_RESTARTS = 2
LAST_LINES = 3

WORKLOADS = tuple(kind for kind in KINDS if kind.kind in ("Deployment", "StatefulSet", "LeaderWorkerSet"))


class NotReady(InfraError):
    """A release does not serve. C(log) is what its server logged, as the module returns it; None where there is none."""

    def __init__(self, what, where, got, expected, fix, log):
        super().__init__(what, where, got, expected, fix)
        self.log = log


def wait(api, namespace, release, seconds):
    """Return when every workload of the release has rolled out; NotReady when it has not in time, or will not."""
    deadline, blocked_since, restarts = time.monotonic() + seconds, None, {}
    while True:
        workloads = _workloads(api, namespace, release)
        behind = [why for why in map(_behind, workloads) if why]
        if workloads and not behind:
            return
        found = pods.of_release(api, namespace, release)
        now = time.monotonic()
        hopeless = _hopeless(found, restarts)
        blocked_since = (blocked_since or now) if any(map(pods.blocked, found)) or any(map(_refused, workloads)) else None
        if hopeless or now >= deadline or (blocked_since and now - blocked_since >= PATIENCE_SECONDS):
            raise _not_ready(api, namespace, release, found, workloads, behind, seconds)
        time.sleep(min(LOOK_SECONDS, max(0.1, deadline - now)))


def _workloads(api, namespace, release):
    found = []
    for kind in WORKLOADS:
        found += [{**item, "kind": kind.kind} for item in api.items(kind.path(namespace), f"{INSTANCE}={release}")]
    return found


def _behind(workload):
    """What a workload still lacks, None for one that has rolled out."""
    name, wanted = f"{workload['kind']} {workload['metadata']['name']}", (workload["spec"].get("replicas", 1))
    status = workload.get("status") or {}
    if (status.get("observedGeneration") or 0) < workload["metadata"].get("generation", 1):
        return f"{name} was not looked at yet by its controller"
    for key in ("updatedReplicas", "readyReplicas", "replicas"):
        if (status.get(key) or 0) != wanted:
            return f"{name} has {status.get(key) or 0} of {wanted} {key}"
    return None


def _refused(workload):
    """Why the controller can't make pods, None where it can."""
    for one in (workload.get("status") or {}).get("conditions") or []:
        if one.get("type") == "ReplicaFailure" and one.get("status") == "True":
            return f"{workload['kind']} {workload['metadata']['name']}: {one.get('message') or one.get('reason')}"
    return None


def _hopeless(found, restarts):
    """Whether a pod was started again and again since it was first seen."""
    for pod in found:
        count = pods.restarts(pod)
        if count - restarts.setdefault(pod["metadata"]["name"], count) >= MOST_RESTARTS:
            return True
    return False


def _not_ready(api, namespace, release, found, workloads, behind, seconds):
    where = f"release {release} in namespace {namespace}"
    expected = f"ready within {seconds} seconds"
    late = [pod for pod in found if not pods.is_ready(pod)]
    refused = next((why for why in map(_refused, workloads) if why), None)
    if not late:
        return NotReady("it is not ready", where, refused or "; ".join(behind) or "there is no workload", expected, _events(api, namespace, workloads), None)
    name = late[0]["metadata"]["name"]
    log, why = why_not(api, namespace, late[0])
    return NotReady("it is not ready", where, f"pod {name}: {pods.state(late[0])}", expected, why, log)


def _events(api, namespace, workloads):
    told = [text for workload in workloads for text in pods.events(api, namespace, workload["metadata"]["name"])]
    return f"Events: {'; '.join(told)}" if told else None


def why_not(api, namespace, pod):
    """(the log of the server as the module returns it or None, what log and events say or None) of a pod that does not serve."""
    name, server = pod["metadata"]["name"], pods.server_container(pod)["name"]
    told = []
    log = None
    container = pods.crashed(pod)
    if container is None and any(one["name"] == server and "running" in (one.get("state") or {}) for one in pods.statuses(pod)):
        container = server
    if container is not None:
        text = _told(api, namespace, pod, container)
        if container == server:
            log = report(text)
            told += [f"Its log says: {log['failure']}"] if log["failure"] else []
        if not told and text.problem is None:
            lines = (text.last or text.first).decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
            told += [f"Its log ends with: {' / '.join(lines)}"] if lines else []
    events = pods.events(api, namespace, name)
    return log, ". ".join(told + ([f"Events: {'; '.join(events)}"] if events else [])) or None


def _told(api, namespace, pod, container):
    """The log of the run that ended; of one that was not started again it is the current one."""
    again = next((one.get("restartCount") for one in pods.statuses(pod) if one["name"] == container), 0)
    running = next(((one.get("state") or {}).get("terminated") is None for one in pods.statuses(pod) if one["name"] == container), False)
    return logs.text(api, namespace, pod["metadata"]["name"], container, previous=bool(again) and running)
