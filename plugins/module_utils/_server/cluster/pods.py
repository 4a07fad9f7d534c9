# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pods of a release, and why one of them does not serve. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, printable
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.release import INSTANCE

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PORT_NAME = "http"
MOST_EVENTS = 3

GIVEN_UP = (
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ImagePullBackOff",
    "ErrImagePull",
    "RunContainerError",
)
"""Reasons of a container that waits which do not go away by waiting, once they have stood for a while."""


def of_release(api, namespace, release):
    """The pods of a release that serve, or are to: those of its workers for llama.cpp's RPC are not."""
    pods = [pod for pod in api.items(_path(namespace), f"{INSTANCE}={release}") if server_container(pod)]
    return sorted((pod for pod in pods if "deletionTimestamp" not in pod["metadata"]), key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)


def named(api, namespace, name):
    pod = api.get(f"{_path(namespace)}/{name}")
    if pod is None:
        raise InfraError("there is no such pod", f"namespace {namespace}", name)
    if server_container(pod) is None:
        raise InfraError(f"the pod has no container with a port named {PORT_NAME}", f"namespace {namespace}", name, "a pod of the chart llama-server")
    return pod


def _path(namespace):
    return f"/api/v1/namespaces/{namespace}/pods"


def server_container(pod):
    """The container that runs llama-server: the one with the port http."""
    return next((one for one in pod["spec"]["containers"] if _port(one) is not None), None)


def _port(container):
    return next((port["containerPort"] for port in container.get("ports") or [] if port.get("name") == PORT_NAME), None)


def address(pod):
    """(host, port, scheme) that the server was told to listen on; host None where its arguments don't say."""
    container = server_container(pod)
    arguments = [*(container.get("command") or []), *(container.get("args") or [])]

    def value(name):
        return next((arguments[index + 1] for index, word in enumerate(arguments[:-1]) if word == name), None)

    return value("--host"), _port(container), "https" if "--ssl-cert-file" in arguments else "http"


def is_ready(pod):
    return _condition(pod, "Ready").get("status") == "True"


def _condition(pod, kind):
    return next((one for one in (pod.get("status") or {}).get("conditions") or [] if one.get("type") == kind), {})


def statuses(pod):
    """The status of each container, those of its start first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def restarts(pod):
    return sum(status.get("restartCount") or 0 for status in statuses(pod))


def blocked(pod):
    """Why the pod will not come by waiting, as (reason, sentence); None where it may."""
    status = pod.get("status") or {}
    if status.get("phase") == "Failed":
        return "Failed", f"it has failed: {_joined(status.get('reason'), status.get('message')) or 'no reason given'}"
    for one in statuses(pod):
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in GIVEN_UP:
            return waiting["reason"], f"container {one['name']}: {_joined(waiting['reason'], waiting.get('message'))}"
    return None


def state(pod):
    """What the pod waits for, in one sentence."""
    found = blocked(pod)
    if found:
        return found[1]
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return f"no node takes it: {scheduled.get('message') or scheduled.get('reason')}"
    for one in statuses(pod):
        ended = _ended(one)
        waiting = (one.get("state") or {}).get("waiting") or {}
        if ended.get("exitCode"):
            why = "the memory limit did not suffice" if ended.get("reason") == "OOMKilled" else ended.get("message") or ended.get("reason") or "no reason given"
            return f"container {one['name']} ended with exit status {ended['exitCode']}: {printable(str(why)).strip()}"
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            return f"container {one['name']}: {_joined(waiting['reason'], waiting.get('message'))}"
    begun = [one["name"] for one in statuses(pod) if "running" in (one.get("state") or {}) and not one.get("ready")]
    return f"container {begun[0]} runs and is not ready" if begun else f"it is {(pod.get('status') or {}).get('phase') or 'not started'}"


def crashed(pod):
    """The container that ended last and badly, None for none: the one whose previous log tells why."""
    return next((one["name"] for one in statuses(pod) if _ended(one).get("exitCode")), None)


def _ended(status):
    return (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated") or {}


def events(api, namespace, name):
    """The last warnings about an object, each once."""
    items = api.items(f"/api/v1/namespaces/{namespace}/events", fieldSelector=f"involvedObject.name={name},type=Warning")
    items.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    texts = dict.fromkeys(printable(_joined(event.get("reason"), event.get("message")) or "") for event in items)
    return [text for text in texts if text][-MOST_EVENTS:]


def _joined(reason, message):
    return ": ".join(str(part) for part in (reason, message) if part)
