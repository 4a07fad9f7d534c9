# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain HTTP to a llama.cpp server. Private: not an interface for other collections."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown


class NotReachable(InfraError):
    """Nothing answered at all."""


@dataclass(frozen=True)
class Answer:
    """A whole answer, whatever its status."""

    url: str
    status: int
    body: bytes

    def json(self):
        """The body as a JSON object; InfraError when it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InfraError(
                "this does not answer like llama-server",
                self.url,
                f"HTTP {self.status}: {shown(self.body.decode('utf-8', 'replace'))}",
                "a JSON object",
                "Check host and port.",
            )
        return value

    def problem(self):
        """What a refusing answer says, in one line."""
        try:
            error = json.loads(self.body)["error"]
            return f"HTTP {self.status}: {shown(error['message'])}"
        except (ValueError, KeyError, TypeError):
            return f"HTTP {self.status}"


class Client:
    """Requests to one server. The key goes into a header only, never into an address or a message."""

    def __init__(self, url, api_key=None, timeout=10, validate_certs=True):
        self.url = _checked(url)
        self._headers = {"Accept": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeout = timeout
        # Always direct: a proxy set for downloads must not be asked for the node's own address.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *_handlers(validate_certs))

    def get(self, path):
        return self._send(path, None, self._timeout)

    def post(self, path, value, timeout):
        return self._send(path, json.dumps(value).encode(), timeout)

    def _send(self, path, data, timeout):
        url = self.url + path
        headers = dict(self._headers)
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            with self._opener.open(urllib.request.Request(url, data=data, headers=headers), timeout=timeout) as response:
                return Answer(url, response.status, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(url, error.code, error.read())
        except (OSError, http.client.HTTPException) as error:
            raise NotReachable("no server answers", self.url, _why(error), fix="Check that it runs, and its host and port.") from None


def _handlers(validate_certs):
    """A server's certificate is made for the name that its clients know, not for the loopback address at which its own machine asks it."""
    if validate_certs:
        return []
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return [urllib.request.HTTPSHandler(context=context)]


def first_key(path):
    """The first key of a key file; blank lines and lines that start with # hold none, as llama-server reads it."""
    try:
        with open(path, encoding="utf-8") as stream:
            keys = [line for line in stream.read().splitlines() if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise InfraError("the file can't be read", path, getattr(error, "strerror", None) or "not text") from None
    if not keys:
        raise InfraError("the file holds no API key", path, expected="one key in a line")
    return keys[0]


def _why(error):
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _checked(url):
    fix = "Give it like http://127.0.0.1:8080."
    try:
        parts = urllib.parse.urlsplit(url)
        port_given = parts.port is not None
    except ValueError:
        raise InfraError("not an address of a server", "url", shown(url), fix=fix) from None
    if parts.username is not None or parts.password is not None:
        raise InfraError("an address must not hold a name or password", "url", fix="Give the key as api_key_file or api_key.")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_given or parts.query or parts.fragment:
        raise InfraError("not an address of a server", "url", shown(url), "scheme, host and port", fix)
    return url.rstrip("/")
