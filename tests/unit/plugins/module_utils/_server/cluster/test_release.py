# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster has of a server."""

from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import api as requests
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.release import release

from .cluster import api

LABELS = {"app.kubernetes.io/instance": "chat-l4", "prositronic.eu/node-class": "l4"}
MAPS = [
    {"metadata": {"name": "chat-l4-plan", "labels": LABELS}, "data": {"plan.json": json.dumps({"schema": 2})}},
    {"metadata": {"name": "chat-l4-values", "labels": {**LABELS, "prositronic.eu/record": "values"}}, "data": {"values.json": "{broken"}},
]
PAGES = {
    "/version": {"gitVersion": "v1.35.1"},
    "/apis": {"groups": [{"versions": [{"groupVersion": "apps/v1"}]}]},
    "/api/v1/namespaces/models": {"metadata": {"name": "models"}},
    "/api/v1/namespaces/models/configmaps": {"items": MAPS},
    "/api/v1/namespaces/models/services/chat": {"metadata": {"name": "chat", "labels": None}},
}


def test_what_is_there():
    client, pool = api(PAGES)
    wanted = [{"apiVersion": "v1", "kind": kind, "metadata": {"name": "chat"}} for kind in ("Service", "ServiceAccount")]
    found = release(client, "models", "chat", wanted)
    assert (found["version"], found["api_versions"], found["namespace_exists"]) == ("v1.35.1", ["apps/v1", "v1"], True)
    assert [each["name"] for each in found["owned"]] == ["chat-l4-plan", "chat-l4-values"]
    assert found["named"] == [{"apiVersion": "v1", "kind": "Service", "name": "chat", "labels": {}}]
    # What somebody has made unreadable is not there.
    assert found["releases"] == [{"name": "chat-l4", "node_class": "l4", "plan": {"schema": 2}, "values": None}]
    asked = [path for _method, path, _headers in pool.asked]
    assert not any("podmonitors" in path for path in asked), "the cluster has no such kind"
    secrets = [headers["Accept"] for _method, path, headers in pool.asked if "secrets" in path]
    assert secrets and all("PartialObjectMetadata" in accept for accept in secrets)


def test_objects_that_the_chart_does_not_render_are_refused():
    client, _pool = api(PAGES)
    with pytest.raises(InfraError, match=r"objects\[0\]: not an object that the chart renders"):
        release(client, "models", "chat", [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "chat"}}])


def test_a_busy_api_server_is_asked_again(monkeypatch):
    slept = []
    monkeypatch.setattr(requests.time, "sleep", slept.append)
    busy = (429, {"kind": "Status", "message": "storage is (re)initializing"})
    client, _pool = api({"/version": [busy, busy, {"gitVersion": "v1.35.1"}]})
    assert client.get("/version") == {"gitVersion": "v1.35.1"} and len(slept) == 2
    client, _pool = api({"/version": busy})
    with pytest.raises(InfraError, match="HTTP 429: storage"):
        client.get("/version")


@pytest.mark.parametrize("page, message", [
    ((401, {"kind": "Status", "message": "Unauthorized"}), "HTTP 401: Unauthorized.*expired"),
    (b"<html>", "not an answer of an API server"),
    ([1], "not an answer of an API server"),
])  # fmt: skip
def test_what_is_no_answer(page, message):
    client, _pool = api({"/version": [page] if isinstance(page, list) else page})
    with pytest.raises(InfraError, match=message):
        client.get("/version")
