# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the files of a model lie on a node."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._options import Option, check_option


def model_paths(files, directory):
    """C([{path, url, checksum}]) for the C(files) of a model: a path stays, a URL gets one in C(directory).

    C(checksum) is 'sha256:...' or None. Raises InfraError for a file with neither path nor URL, and for two files
    that would have the same path.
    """
    rows = check_option(files, Option("dicts"), "files")
    if not rows:
        raise InfraError("the model has no files", where="files", got=shown(files))
    placed = [_placed(row, directory, f"files[{index}]") for index, row in enumerate(rows)]
    paths = [row["path"] for row in placed]
    for path in paths:
        if paths.count(path) > 1:
            raise InfraError("two files would have the same path", where="files", got=shown(path))
    return placed


def _placed(row, directory, where):
    sha256 = row.get("sha256")
    if row.get("path"):
        return {"path": row["path"], "url": None, "checksum": None}
    if not row.get("url"):
        raise InfraError("neither a path nor a URL", where=where, got=shown(row))
    name = posixpath.basename(unquote(urlsplit(row["url"]).path))
    if not name.endswith(".gguf"):
        raise InfraError("the URL does not name a .gguf file", where=where, got=shown(row["url"]))
    return {"path": posixpath.join(directory, name), "url": row["url"], "checksum": f"sha256:{sha256}" if sha256 else None}
