# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An API server that answers from a dictionary."""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.api import Api


class Pool:
    """C(pages): path -> value, (status, value) or bytes; what is asked is kept in C(asked)."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    def request(self, method, url, body=None, headers=None, timeout=None, retries=None):
        path = url.removeprefix("https://api.example")
        self.asked.append((method, path, headers))
        found = self.pages.get(path, self.pages.get(path.partition("?")[0]))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            found = (404, {"kind": "Status", "message": "not found"})
        status, value = found if isinstance(found, tuple) else (200, found)
        return type("Answer", (), {"status": status, "data": value if isinstance(value, bytes) else json.dumps(value).encode()})


def api(pages):
    """(Api, its Pool)."""
    pool = Pool(pages)
    configuration = type("Configuration", (), {"host": "https://api.example", "auth_settings": staticmethod(bearer)})
    client = type("Client", (), {"configuration": configuration, "rest_client": type("Rest", (), {"pool_manager": pool})})
    return Api(client), pool


def bearer():
    return {"BearerToken": {"in": "header", "key": "authorization", "value": "Bearer t"}}


def pod(name="chat-1", ready=True, host="0.0.0.0", statuses=None, **status):
    """A pod of the chart."""
    container = {"name": "server", "args": ["--host", host, "--port", "8080"], "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [container], "nodeName": "n1"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": statuses or [{"name": "server", "ready": ready, "restartCount": 0, "state": {"running": {}}}],
            **status,
        },
    }
