# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP requests by the standard library: bounded in time and bytes, with one clear error for each failure.

Redirects are followed here and not by urllib, which would send the Authorization header
to every host it is redirected to and read the body of a redirect to its end.
"""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from urllib.parse import urljoin

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.deadline import HttpHandler, HttpsHandler
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import basic_authorization, checked_url, hint_of, origin, safe_url, without_user

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5

_LONGEST_LABEL = 300
_LONGEST_LOCATION = 8192

_TOKEN = re.compile(r"[\x21-\x7e]+")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, *_arguments):
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class Unreachable(InfraError):
    """No answer, or one that broke off: another try may do."""


class Refused(InfraError):
    """An answer with the HTTP C(status) of a failure. C(retry_after) is that header, or None."""

    status = None
    retry_after = None


class Client:
    """C(token) is sent to the host of C(endpoint) only, C(timeout) seconds are granted to each request.

    For C(whole_files) they are granted to each wait for more of an answer instead, which may have any length.
    """

    def __init__(self, endpoint, token=None, timeout=30, whole_files=False):
        if "?" in endpoint or "#" in endpoint:
            raise InfraError("the endpoint must not have a query or fragment", where="endpoint", expected="https://host")
        self._endpoint = origin(checked_url(endpoint, "endpoint"))
        token = (token or "").strip()
        if token and not _TOKEN.fullmatch(token):
            raise InfraError("this can't be a token", where="token", expected="printable ASCII characters without spaces")
        if not 0 < timeout <= 3600:
            raise InfraError("the timeout is out of range", where="timeout", got=shown(timeout), expected="more than 0 and up to 3600 seconds")
        self._token = token
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirects, *(() if whole_files else (HttpHandler, HttpsHandler)))

    def open(self, url, headers, what):
        """The Answer to a GET request; C(what) is how messages call the thing asked for."""
        url = checked_url(url)
        user_origin, user = origin(url), basic_authorization(url)
        target = without_user(url)
        deadline = time.monotonic() + self._timeout
        passed = []
        for _hop in range(_MAX_REDIRECTS + 1):
            left = deadline - time.monotonic()
            if left <= 0:
                raise _unreachable(target, TimeoutError("timed out"))
            request = urllib.request.Request(target, headers=headers)
            authorization = self._authorization(target, user_origin, user)
            if authorization is not None:
                request.add_unredirected_header("Authorization", authorization)
            try:
                return Answer(self._opener.open(request, timeout=left), target, passed)
            except urllib.error.HTTPError as error:
                status, fields = error.code, error.headers
                error.close()
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _unreachable(target, error) from None
            if status not in _REDIRECTS or not fields.get("Location"):
                raise self._refused(target, status, fields.get("Retry-After"), what)
            passed.append(fields)
            target = _redirected(target, fields["Location"])
        raise InfraError("the server redirects too often", where=_label(url), expected=f"at most {_MAX_REDIRECTS} redirects", fix="Check the address.")

    def _authorization(self, target, user_origin, user):
        if user is not None and origin(target) == user_origin:
            return user
        if self._token and origin(target) == self._endpoint:
            return f"Bearer {self._token}"
        return None

    def _refused(self, url, status, retry_after, what):
        if status in (401, 403):
            problem = "the server wants to know who asks" if status == 401 else "the server refuses access"
            if origin(url) == self._endpoint:
                fix = "Check the address; for a private or gated model set a token that may read it (option token or HF_TOKEN), and accept the model's terms."
            else:
                fix = "Check the address. The token is sent to the host of the endpoint only; another server takes https://user:password@host/."
        elif status in (404, 410):
            problem, fix = f"{what} does not exist", "Check the repository, the file's name and the revision."
        elif status == 416:
            problem, fix = f"{what} is empty, or became shorter while it was read", "Check the file on the server."
        elif status == 429:
            problem, fix = "the server gets too many requests", "Try again later; with a token the limits are higher."
        elif status >= 500:
            problem, fix = "the server fails", "Try again later."
        else:
            problem, fix = "the server does not answer this request", "Check the address."
        error = Refused(problem, where=_label(url), got=f"HTTP status {status}", fix=fix)
        error.status, error.retry_after = status, retry_after
        return error


class Answer:
    """A context manager around the body, which is read only as far as asked for. C(passed): the headers of each redirect."""

    def __init__(self, response, url, passed=()):
        self.status = response.status
        self.headers = response.headers
        self.passed = passed
        self.label = _label(url)
        self._response = response

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._response.close()

    def read(self, length):
        """Up to C(length) bytes; fewer where the body ends."""
        chunks = []
        while length > 0:
            chunk = self.read_some(length)
            if not chunk:
                break
            chunks.append(chunk)
            length -= len(chunk)
        return b"".join(chunks)

    def read_some(self, length):
        """What is there of the next C(length) bytes, at least one; none where the body ends."""
        try:
            chunk = self._response.read1(length)
            if len(chunk) > length:  # http.client takes a chunk of negative length for one without an end
                raise ValueError("a chunk has an impossible length")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unreachable(self.label, error) from None
        return chunk


def _label(url):
    """How messages call an address, which a server may have made up."""
    address = safe_url(url)
    return address if len(address) <= _LONGEST_LABEL else address[: _LONGEST_LABEL - 3] + "..."


def _redirected(url, location):
    try:
        target = checked_url(without_user(urljoin(url, location)) if len(location) <= _LONGEST_LOCATION else "")
    except (InfraError, ValueError):
        raise InfraError("the server redirects to no web address", where=_label(url), got=hint_of(location), fix="Check the address.") from None
    if url.startswith("https:") and not target.startswith("https:"):
        raise InfraError("the server redirects to an unencrypted address", where=_label(url), got=_label(target), fix="Check the address.")
    return target


def _unreachable(url, error):
    reason = getattr(error, "reason", None) or error
    return Unreachable(
        "the request failed",
        where=_label(url),
        got=shown(str(reason) or type(reason).__name__, 160),
        fix="Check address, network, proxy settings and certificates; raise the option timeout for a slow server.",
    )
