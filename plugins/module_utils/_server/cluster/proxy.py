# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP to a server in a pod, through the API server. Private: not an interface for other collections.

The API server takes the header Authorization for itself, so the server's key goes into X-Api-Key, which llama-server reads too.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Answer, NotReachable
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.api import refusal, status_of


class ProxyClient:
    """Requests to one pod, with the methods of _server.client.Client."""

    def __init__(self, api, namespace, pod, port, scheme="http", api_key=None, timeout=10):
        part = f"https:{pod}:{port}" if scheme == "https" else f"{pod}:{port}"
        self._path = f"/api/v1/namespaces/{namespace}/pods/{part}/proxy"
        self.url = api.host + self._path
        self._api = api
        self._headers = {"Accept": "application/json"}
        if api_key is not None:
            self._headers["X-Api-Key"] = api_key
        self._timeout = timeout

    def get(self, path):
        return self._send("GET", path, None, self._timeout)

    def post(self, path, value, timeout):
        return self._send("POST", path, value, timeout)

    def _send(self, method, path, value, timeout):
        status, body = self._api.send(method, self._path + path, headers=self._headers, value=value, timeout=timeout)
        told = status_of(body) if status >= 400 else None
        if told is None:
            return Answer(self.url + path, status, body)
        if status >= 500:
            raise NotReachable("no server answers", self.url, told.get("message"), fix="Check that a NetworkPolicy lets the API server reach the pod.")
        raise InfraError("the API server refused", self.url, told.get("message"), fix=refusal(status))
