# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses: checked, comparable, and without their secrets in messages and results."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

_PORTS = {"http": 80, "https": 443}
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")


def checked_url(url, where="URL"):
    """C(url) ready for a request; raises InfraError where no server could be asked for it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and parts.hostname.isascii() and parts.port != 0
    except ValueError:
        usable = False
    if not usable or _NOT_IN_URLS.search(url):
        raise InfraError("this is no address of a web server", where=where, got=hint_of(url), expected="https://host/path")
    return urlunsplit(parts._replace(path=quote(parts.path, safe=_PATH_CHARACTERS), query=quote(parts.query, safe=_PATH_CHARACTERS + "?"), fragment=""))


def safe_url(url):
    """C(url) without user, password, query and fragment: signed addresses carry their secret in the query."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url.split("?", 1)[0].split("#", 1)[0]
    host, slash, path = rest.split("?", 1)[0].split("#", 1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def hint_of(url):
    """What a message may show of an address that can't be taken apart: nothing, if there may be a secret in it."""
    if "@" in url or "?" in url:
        return "an address with user, password or query"
    return shown(url)


def without_user(url):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def basic_authorization(url):
    """The Authorization header for the user and password within C(url), or None."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")


def origin(url):
    """What decides whether two addresses may share credentials."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
