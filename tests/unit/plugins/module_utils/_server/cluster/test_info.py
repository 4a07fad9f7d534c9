# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pod's server in the shape of llama_server_info: asked through the proxy, or read from its log."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import info, ready
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import FIXTURES

from .cluster import api, pod

POD = "/api/v1/namespaces/models/pods/chat-1"
PROXY = f"{POD}:8080/proxy"
PROPS = {"total_slots": 2, "default_generation_settings": {"n_ctx": 1024}, "model_path": "/models/m.gguf"}
PAGES = {f"{PROXY}/health": {"status": "ok"}, f"{PROXY}/props": PROPS, f"{PROXY}/v1/models": {"data": []}, f"{PROXY}/metrics": (501, {})}
LOG = (FIXTURES / "xllamacpp.log").read_bytes()


def test_through_the_proxy_with_the_key_in_its_own_header():
    client, pool = api({**PAGES, f"{POD}/log": LOG})
    server = info.server_of(client, "models", pod(), "sesame", None)
    assert (server["total_slots"], server["n_ctx"], server["not_asked"], server["metrics"]) == (2, 1024, None, None)
    assert server["pod"] == {"name": "chat-1", "node": "n1", "restarts": 0} and server["log"]["read"]
    headers = [headers for _method, path, headers in pool.asked if "/proxy/" in path]
    assert len(headers) == 5 and all(each["X-Api-Key"] == "sesame" and each["authorization"] == "Bearer t" for each in headers)


def test_on_the_loopback_address_the_log_is_all_there_is():
    client, pool = api({f"{POD}/log": LOG})
    server = info.server_of(client, "models", pod(host="127.0.0.1"), None, None)
    assert (server["total_slots"], server["n_ctx"], server["not_asked"]) == (4, 4096, info.NOT_ASKED)
    assert not any("proxy" in path for _method, path, _headers in pool.asked)
    with pytest.raises(InfraError, match="the question can't be asked"):
        info.server_of(client, "models", pod(host="127.0.0.1"), None, ("Hello?", 8, 10))


@pytest.mark.parametrize("page, message", [
    ((503, {"kind": "Status", "message": "error trying to reach service: dial tcp 10.0.0.1:8080"}), "no server answers .*dial tcp .*NetworkPolicy"),
    ((403, {"kind": "Status", "message": 'pods "chat-1:8080" is forbidden'}), "the API server refused .*is forbidden.*docs/kubernetes.md"),
    ((503, {"error": {"code": 503, "message": "Loading model"}}), "not healthy .*Loading model"),
])  # fmt: skip
def test_what_stands_in_between(page, message):
    client, _pool = api({**PAGES, f"{PROXY}/health": page, f"{POD}/log": LOG})
    with pytest.raises(InfraError, match=message):
        info.server_of(client, "models", pod(), None, None)


def test_a_pod_that_is_not_ready_has_its_log_told():
    client, _pool = api({f"{POD}/log": (FIXTURES / "cuda_out_of_memory.log").read_bytes()})
    with pytest.raises(ready.NotReady, match="too little memory free"):
        info.server_of(client, "models", pod(ready=False), None, None)


def test_the_pod_that_is_ready_is_asked():
    client, _pool = api({"/api/v1/namespaces/models/pods": {"items": [pod("new", ready=False), pod("old")]}})
    assert info.pod_of(client, "models", "chat", None)["metadata"]["name"] == "old"
    empty, _pool = api({"/api/v1/namespaces/models/pods": {"items": []}})
    with pytest.raises(InfraError, match="there is no pod"):
        info.pod_of(empty, "models", "chat", None)


@pytest.mark.parametrize("data, expected", [
    ({"api-keys": "# ours\nsesame\nother\n"}, "sesame"),
    ({"other": "x"}, InfraError),
    ({"api-keys": "# none\n"}, InfraError),
])  # fmt: skip
def test_the_first_key_of_a_secret(data, expected):
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    client, _pool = api({"/api/v1/namespaces/models/secrets/keys": {"data": coded}})
    if expected is InfraError:
        with pytest.raises(InfraError, match="Secret keys in namespace models"):
            info.key_from_secret(client, "models", "keys", "api-keys")
    else:
        assert info.key_from_secret(client, "models", "keys", "api-keys") == expected
    with pytest.raises(InfraError, match="no such Secret"):
        info.key_from_secret(client, "models", "none", "api-keys")
