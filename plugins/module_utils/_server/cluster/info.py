# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server in a pod says, does and logged. Private: not an interface for other collections."""

from __future__ import annotations

import base64
import binascii

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import NotReachable
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import logs, pods, ready
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.proxy import ProxyClient
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import ask, server_info, wait_healthy
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report

NOT_ASKED = "the server listens on the pod's loopback address only, which the API server does not reach; give the release an API key"


def pod_of(api, namespace, release, name):
    """The pod to ask: the one named, else the newest of the release that is ready."""
    if name is not None:
        return pods.named(api, namespace, name)
    found = pods.of_release(api, namespace, release)
    if not found:
        raise InfraError("there is no pod", f"release {release} in namespace {namespace}", fix="Deploy it first, or check its name and namespace.")
    return next((pod for pod in found if pods.is_ready(pod)), found[0])


def server_of(api, namespace, pod, key, question):
    """A pod's server in the shape of llama_server_info. C(question): (text, most tokens, seconds) or None.

    Raises NotReady, with the log, for a pod that is not ready.
    """
    name, container = pod["metadata"]["name"], pods.server_container(pod)["name"]
    if not pods.is_ready(pod):
        log, why = ready.why_not(api, namespace, pod)
        raise ready.NotReady("the server does not serve", f"pod {name} in namespace {namespace}", pods.state(pod), "a pod that is ready", why, log)
    log = report(logs.text(api, namespace, name, container))
    host, port, scheme = pods.address(pod)
    client = ProxyClient(api, namespace, name, port, scheme, key)
    server = _told_by_log(log, client.url, question) if host in pods.LOOPBACK else _asked(client, question)
    return {**server, "log": log, "process": None, "pod": {"name": name, "node": pod["spec"].get("nodeName"), "restarts": pods.restarts(pod)}}


def _asked(client, question):
    try:
        client.get("/health")  # so that nobody who answers is told apart from a server that is not healthy
        wait_healthy(client, 0)
        server = server_info(client)
        answer = None if question is None else ask(client, *question)
    except NotReachable as error:
        raise InfraError(error.what, error.where, error.got, fix=error.fix) from None
    return {**server, "answer": answer, "not_asked": None}


def _told_by_log(log, url, question):
    """A server that can't be asked: what its log has of what it would say."""
    if question is not None:
        raise InfraError("the question can't be asked", url, NOT_ASKED)
    context = log["context"] or {}
    return {
        "schema": 1,
        "url": None,
        "healthy": True,
        "total_slots": context.get("slots"),
        "n_ctx": context.get("n_ctx_seq"),
        **dict.fromkeys(("build_info", "model_path", "model_alias", "model_ftype", "chat_template", "is_sleeping", "metrics", "answer")),
        "modalities": {},
        "endpoints": {},
        "models": [],
        "not_asked": NOT_ASKED,
    }


def key_from_secret(api, namespace, name, entry):
    """The first key in a Secret; it is in no message."""
    where = f"Secret {name} in namespace {namespace}"
    secret = api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    data = (secret or {}).get("data") or {}
    if entry not in data:
        raise InfraError("the API key is not there", where, "no such Secret" if secret is None else f"entries {', '.join(sorted(data)) or 'none'}", entry)
    try:
        lines = base64.b64decode(data[entry]).decode().splitlines()
    except (binascii.Error, UnicodeDecodeError):
        raise InfraError("not text", where, entry) from None
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise InfraError("the Secret holds no API key", where, entry, "one key in a line")
    return keys[0]
