# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the files of a model lie on a node."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._options import Option, check_option


def model_paths(files, directory, copy=False):
    """C([{path, url, src, sha256}]) for the C(files) of a model: a path stays, a URL gets one in C(directory).

    With C(copy) a path is one on the controller: it becomes C(src), and the file gets a path in C(directory).
    Raises InfraError for a file with neither path nor URL, and for two files that would have the same path.
    """
    rows = check_option(files, Option("dicts"), "files")
    if not rows:
        raise InfraError("the model has no files", where="files", got=shown(files))
    placed = [_placed(row, directory, copy, f"files[{index}]") for index, row in enumerate(rows)]
    paths = [row["path"] for row in placed]
    for path in paths:
        if paths.count(path) > 1:
            raise InfraError("two files would have the same path", where="files", got=shown(path))
    return placed


def _placed(row, directory, copy, where):
    path, url, sha256 = row.get("path"), row.get("url"), row.get("sha256") or None
    if path and copy:
        return {"path": posixpath.join(directory, posixpath.basename(path)), "url": None, "src": path, "sha256": sha256}
    if path:
        return {"path": path, "url": None, "src": None, "sha256": sha256}
    if not url:
        raise InfraError("neither a path nor a URL", where=where, got=shown(row))
    name = posixpath.basename(unquote(urlsplit(url).path))
    if not name.endswith(".gguf"):
        raise InfraError("the URL does not name a .gguf file", where=where, got=shown(url))
    return {"path": posixpath.join(directory, name), "url": url, "src": None, "sha256": sha256}
