# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models on the Hugging Face Hub: C(hf:org/repo[:quantization | /path/file.gguf][@revision]) → addresses of files."""

from __future__ import annotations

import json
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.names import quantization_of, shard_names, shard_of

DEFAULT_ENDPOINT = "https://huggingface.co"
PREFIX = "hf:"

_SOURCE = re.compile(
    r"hf:(?P<repo>[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+)"
    r"(?::(?P<quantization>[A-Za-z0-9_.-]+)|/(?P<file>[^\x00-\x1f\x7f]+?\.gguf))?"
    r"(?:@(?P<revision>[A-Za-z0-9_.][A-Za-z0-9_./-]*))?"
)
_EXPECTED = "hf:org/repo, hf:org/repo:Q4_K_M or hf:org/repo/path/file.gguf, each with @revision or without"

# llama.cpp takes the same files for companions of a model.
_COMPANIONS = ("mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-")
_DEFAULT_QUANTIZATION = "Q4_K_M"

# A page of the hub has up to 1000 entries of a few hundred bytes. Parsed JSON may take 40 times the memory of its text.
_MAX_PAGES = 20
_MAX_PAGE_BYTES = 1024 * 1024
_MAX_FILES = 4096
_NEXT_PAGE = re.compile(r"<([^<>]*)>\s*;\s*rel=\"?next\"?")
_MAX_PATH_CHARACTERS = 512
_SHA256 = re.compile(r"[0-9a-f]{64}")


class RemoteFile(NamedTuple):
    url: str
    sha256: str
    size_bytes: int = None


class _Wanted(NamedTuple):
    source: str
    repo: str
    quantization: str
    file: str
    revision: str


def hub_files(client, source, endpoint):
    """The files of the model that C(source) names, every shard in order."""
    wanted = _parse(source)
    base = f"{endpoint.rstrip('/')}/{wanted.repo}/resolve/{quote(wanted.revision, safe='')}"
    listed = _list_files(client, wanted, endpoint.rstrip("/"))
    path = _choose(wanted, sorted(listed))
    paths = shard_names(path)
    missing = [name for name in paths if name not in listed]
    if missing:
        raise InfraError(
            f"{len(missing)} of {len(paths)} shards are not in the repository", where=source, got=f"no {shown(missing[0])}", fix="Choose another revision."
        )
    return [RemoteFile(f"{base}/{quote(name)}", *listed[name]) for name in paths]


def _parse(source):
    match = _SOURCE.fullmatch(source)
    if match is None or {".", ".."} & set(re.split("[/@:]", source)):
        raise InfraError("this is no model on the hub", where=shown(source), expected=_EXPECTED)
    return _Wanted(source, match["repo"], match["quantization"], match["file"], match["revision"] or "main")


def _list_files(client, wanted, endpoint):
    """path → (sha256, size), each or None, of every .gguf file of the repository."""
    url = f"{endpoint}/api/models/{wanted.repo}/tree/{quote(wanted.revision, safe='')}"
    query, listed = "recursive=true", {}
    for _page in range(_MAX_PAGES):
        with client.open(f"{url}?{query}", {"Accept": "application/json"}, "the repository or its revision") as answer:
            entries = _entries(answer)
            following = _NEXT_PAGE.search(answer.headers.get("Link", ""))
        for entry in entries:
            path, sha256, size_bytes = _gguf_entry(entry)
            if path is not None:
                listed[path] = sha256, size_bytes
        if len(listed) > _MAX_FILES:
            raise _too_many(wanted)
        if following is None:
            return listed
        # Only the query is taken over: the next page is asked from the same endpoint, a mirror for example.
        query = urlsplit(following[1]).query
    raise _too_many(wanted)


def _too_many(wanted):
    return InfraError("the repository has too many files to list", where=wanted.source, fix="Give the https:// address of the file.")


def _entries(answer):
    body = answer.read(_MAX_PAGE_BYTES + 1)
    try:
        entries = json.loads(body) if len(body) <= _MAX_PAGE_BYTES else None
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise InfraError(
            "the answer is not a list of files",
            where=answer.label,
            got=shown(body[:60]),
            expected="the JSON list of the hub's API",
            fix="Check the option endpoint (HF_ENDPOINT).",
        )
    return entries


def _gguf_entry(entry):
    path = entry.get("path") if isinstance(entry, dict) and entry.get("type") == "file" else None
    if (
        not isinstance(path, str)
        or len(path) > _MAX_PATH_CHARACTERS
        or not path.endswith(".gguf")
        or not path.isprintable()
        or {"", ".", ".."} & set(path.split("/"))
    ):
        return None, None, None
    lfs, size_bytes = entry.get("lfs"), entry.get("size")
    sha256 = lfs.get("oid") if isinstance(lfs, dict) else None
    return path, sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else None, size_bytes if isinstance(size_bytes, int) else None


def _choose(wanted, paths):
    """The path of (the first shard of) the one model asked for."""
    if wanted.file is not None:
        if wanted.file not in paths:
            raise InfraError("this file is not in the repository", where=wanted.source, expected=f"one of {_one_of(paths)}")
        return wanted.file
    models = [path for path in paths if _is_model(path)]
    if not models:
        fix = "Models in GGUF are often in a repository of their own, named …-GGUF."
        raise InfraError("the repository has no GGUF model", where=wanted.source, got=_one_of(paths), fix=fix)
    quantization = wanted.quantization or _DEFAULT_QUANTIZATION
    found = _with_quantization(models, quantization.upper())
    if not found and wanted.quantization is None:
        if len(models) > 1:
            what = f"the repository has several models and none is {quantization}"
            raise InfraError(what, where=wanted.source, got=_quantizations(models), fix="Name one: hf:org/repo:Q8_0.")
        found = models
    if not found:
        raise InfraError(f"the repository has no {quantization}", where=wanted.source, expected=f"one of {_quantizations(models)}")
    if len(found) > 1:
        fix = "Give the path of one: hf:org/repo/path/file.gguf."
        raise InfraError(f"several models of the repository are {quantization}", where=wanted.source, got=_one_of(found), fix=fix)
    return found[0]


def _is_model(path):
    shard = shard_of(path)
    name = path.rsplit("/", 1)[-1].lower()
    return not any(word in name for word in _COMPANIONS) and (shard is None or shard.number == 1)


def _with_quantization(models, quantization):
    exact = [path for path in models if quantization_of(path) == quantization]
    # UD-Q4_K_XL is found as Q4_K_XL too where there is no plain one.
    return exact or [path for path in models if (quantization_of(path) or "").endswith(f"-{quantization}")]


def _quantizations(models):
    return _one_of(sorted({quantization_of(path) or path for path in models}))


def _one_of(names, limit=20):
    if not names:
        return "no .gguf file at all"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
