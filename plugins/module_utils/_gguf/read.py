# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model from wherever it is: the one function that the lookup calls."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.http_range import HttpRange
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.hub import DEFAULT_ENDPOINT, PREFIX, RemoteFile, hub_files
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.model import build_model
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.names import part_name, shard_names
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.shards import read_files
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.transport import Client
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import checked_url, hint_of, safe_url


def read_model(source, endpoint=None, token=None, timeout=30, find=None):
    """The model dict of C(source): hf:…, https://… or a path.

    C(find): see read_local.
    """
    endpoint = endpoint or DEFAULT_ENDPOINT
    if source.startswith(PREFIX):
        client = Client(endpoint, token, timeout)
        return _read_remote(client, source, hub_files(client, source, endpoint))
    if source.startswith(("https://", "http://")):
        client = Client(endpoint, token, timeout)
        return _read_remote(client, safe_url(source), _url_files(checked_url(source, "source")))
    if "://" in source:
        raise InfraError("unknown kind of source", where="source", got=hint_of(source), expected="a path, https://…, http://… or hf:org/repo")
    return read_local(source, find)


def _url_files(url):
    path, question, query = url.partition("?")
    return [RemoteFile(f"{name}{question}{query}", None) for name in shard_names(path)]


def _read_remote(client, source, files):
    sources = (HttpRange(client, file.url, part_name(number, len(files)), file.sha256) for number, file in enumerate(files, 1))
    return build_model(source, read_files(sources, len(files)))
