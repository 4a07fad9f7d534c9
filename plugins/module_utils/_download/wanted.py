# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files a model needs: hf:…, an address, a path or a list of files → one Wanted for each file."""

from __future__ import annotations

import os
import posixpath
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.hub import PREFIX, hub_files
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.names import shard_names
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import checked_url, hint_of, safe_url

_KEYS = ("path", "url", "sha256", "src")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Wanted(NamedTuple):
    """One file. Without C(url) it has to be there. C(size_bytes) is known where a listing of the hub tells it."""

    path: str
    url: str = None
    sha256: str = None
    size_bytes: int = None


def listed_files(rows, directory):
    """The Wanted of each of C(rows), dicts with C(path), C(url) and C(sha256); a relative path is one in C(directory)."""
    wanted = [_listed(row, directory, f"files[{index}]") for index, row in enumerate(rows)]
    if not wanted:
        raise InfraError("there is nothing to bring", where="files", got="an empty list")
    return _apart(wanted, "files")


def source_files(source, directory, client, endpoint, sha256=()):
    """The Wanted of each shard of C(source); C(sha256) are their checksums in order, where somebody knows them."""
    if source.startswith(PREFIX):
        remote = hub_files(client, source, endpoint)
        wanted = [Wanted(_in(directory, file.url, "source"), file.url, file.sha256, file.size_bytes) for file in remote]
    elif source.startswith(("https://", "http://")):
        path, question, query = checked_url(source, "source").partition("?")
        urls = [f"{name}{question}{query}" for name in shard_names(path)]
        wanted = [Wanted(_in(directory, url, "source"), url) for url in urls]
    elif "://" in source:
        raise InfraError("unknown kind of source", where="source", got=hint_of(source), expected="hf:org/repo, https://…, http://… or a path on the node")
    else:
        wanted = [Wanted(path) for path in shard_names(os.path.abspath(os.path.expanduser(source)))]
    if sha256 and len(sha256) != len(wanted):
        raise InfraError("there must be one checksum for each file", where="sha256", got=len(sha256), expected=len(wanted))
    given = [_checksum(value, f"sha256[{index}]") for index, value in enumerate(sha256)] or [None] * len(wanted)
    return _apart([_with_checksum(file, value) for file, value in zip(wanted, given)], "source")


def is_pinned(source):
    """Whether C(source) always means the same files: the hub, at a commit."""
    return source.startswith(PREFIX) and _COMMIT.fullmatch(source.rpartition("@")[2]) is not None


def _listed(row, directory, where):
    unknown = sorted(set(row) - set(_KEYS))
    if unknown:
        raise InfraError("unknown key", where=where, got=shown(unknown[0]), fix=nearest(unknown[0], _KEYS))
    path, url = row.get("path"), row.get("url")
    if not path and not url:
        raise InfraError("neither a path nor a URL", where=where, got=shown(row))
    url = checked_url(url, f"{where}.url") if url else None
    path = os.path.join(directory, os.path.expanduser(path)) if path else _in(directory, url, f"{where}.url")
    return Wanted(os.path.normpath(path), url, _checksum(row.get("sha256"), f"{where}.sha256"))


def _in(directory, url, where):
    name = posixpath.basename(unquote(urlsplit(url).path))
    if not name.endswith(".gguf") or not name.isprintable():
        raise InfraError("the URL does not name a .gguf file", where=where, got=shown(safe_url(url)))
    return os.path.join(directory, name)


def _checksum(value, where):
    if not value:
        return None
    text = str(value).lower()
    text = text[len("sha256:") :] if text.startswith("sha256:") else text
    if not _SHA256.fullmatch(text):
        raise InfraError("this is no SHA-256 checksum", where=where, got=shown(value), expected="64 hexadecimal digits")
    return text


def _with_checksum(file, sha256):
    if sha256 and file.sha256 and sha256 != file.sha256:
        fix = "Check the revision and the checksum."
        raise InfraError("the hub has another file than the one with this checksum", where=safe_url(file.url), got=file.sha256, expected=sha256, fix=fix)
    return file._replace(sha256=sha256 or file.sha256)


def _apart(wanted, where):
    paths = [file.path for file in wanted]
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise InfraError("two files would have the same path", where=where, got=shown(twice[0]))
    return wanted
