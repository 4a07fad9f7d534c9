# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests to the API server. Private: not an interface for other collections."""

from __future__ import annotations

import json
import time
import urllib.parse

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Names and labels alone: nobody's Secret or ConfigMap is read to see whose it is."""

MOST_TRIES, BUSY_SECONDS = 20, 1
"""An API server that is busy, or begins to serve a kind, asks to be asked again."""


class Api:
    """The API server that C(client), an ApiClient of the package kubernetes, is for: its address, its credentials, its pool of connections."""

    def __init__(self, client, timeout=30):
        self.host = client.configuration.host.rstrip("/")
        self._client = client
        self._timeout = timeout

    def send(self, method, path, query=None, headers=None, value=None, timeout=None):
        """(status, body) of whatever answer comes; InfraError where none does."""
        headers = dict(headers or {})
        # What its versions agree on: a setting's value is asked for anew each time, as tokens expire.
        for setting in self._client.configuration.auth_settings().values():
            if setting["in"] == "header":
                headers[setting["key"]] = setting["value"]
        body = None
        if value is not None:
            body = json.dumps(value).encode()
            headers["Content-Type"] = "application/json"
        url = self.host + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        for left in range(MOST_TRIES, 0, -1):
            try:
                answer = self._client.rest_client.pool_manager.request(method, url, body=body, headers=headers, timeout=timeout or self._timeout, retries=False)
            except Exception as error:  # urllib3's, and those of what it is made of
                raise InfraError("the API server does not answer", self.host, shown(str(error), 200), fix="Check kubeconfig and context.") from None
            if left == 1 or answer.status != 429 or status_of(answer.data) is None:
                break
            time.sleep(BUSY_SECONDS)
        return answer.status, answer.data

    def get(self, path, query=None, accept="application/json"):
        """The JSON object at C(path), None where there is none."""
        status, body = self.send("GET", path, query, {"Accept": accept})
        if status == 404:
            return None
        if status != 200:
            raise InfraError("the API server refused", path, said(status, body), fix=refusal(status))
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InfraError("not an answer of an API server", self.host + path, shown(body.decode("utf-8", "replace")), "a JSON object")
        return value

    def items(self, path, selector=None, accept="application/json", **query):
        """The objects of a list, empty where the cluster has no such kind."""
        if selector:
            query["labelSelector"] = selector
        return (self.get(path, query, accept) or {}).get("items") or []


def status_of(body):
    """The Status that an API server answers with instead of what was asked, None for anything else."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.get("kind") == "Status" else None


def said(status, body):
    """An answer that refuses, in one line."""
    told = status_of(body)
    return f"HTTP {status}: {told['message']}" if told and told.get("message") else f"HTTP {status}"


def refusal(status):
    return {
        401: "The credentials of the kubeconfig are not accepted, or have expired.",
        403: "Let the user of the kubeconfig do this: docs/kubernetes.md has the rules of a Role.",
    }.get(status)
