# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a pod gets the model's files from: the chart's C(model)."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..._options import check_options
from ..._units import GIB
from .options import FILE_SPEC, WHERE

HERE = f"{WHERE}.model"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPARE = 1.05
"""File systems keep some of a volume for themselves, 5 % of an ext4."""

BELONGS = {
    "download": ("files", "allow_unverified", "token_secret", "claim_name", "size", "storage_class", "access_modes", "sub_path"),
    "claim": ("claim_name", "sub_path"),
    "image": ("image", "sub_path"),
    "hostPath": ("host_path",),
}
NEEDS = {"claim": "claim_name", "image": "image", "hostPath": "host_path"}


def model_volume(plan, option):
    """(values, reasons). C(option): those of MODEL_SPEC, checked. Without a source the files are downloaded, where the plan knows their addresses."""
    files = plan["model"].get("files") or []
    source = option["source"] or ("download" if option["files"] or (files and all(row.get("url") for row in files)) else None)
    if source is None:
        raise InfraError(
            "the plan's model is a file on a machine, and a pod has to get it from somewhere", HERE,
            expected="source=download with files, claim with claim_name, image, or hostPath with host_path",
        )  # fmt: skip
    _check_belongs(option, source)
    values = {"source": source, "subPath": option["sub_path"] or ""}
    if source == "download":
        rows = [_file(row, f"{HERE}.files[{index}]") for index, row in enumerate(option["files"] or [_planned(row) for row in files])]
        return {**values, "file": option["file"] or rows[0]["name"], **_download(plan, option, rows)}, _why_download(option, rows)
    values["file"] = _relative(option["file"] or _name(files), f"{HERE}.file")
    if source == "claim":
        return {**values, "claim": {"existing": option["claim_name"]}}, [f"The model lies in the claim {option['claim_name']} as {values['file']}."]
    if source == "image":
        return {**values, "image": {"reference": option["image"]}}, [f"The model is in the image {option['image']} as {values['file']}."]
    path = option["host_path"]
    if not path.startswith("/") or ".." in path.split("/"):
        raise InfraError("not the full path of a directory", f"{HERE}.host_path", shown(path), "such as /srv/models")
    return {**values, "hostPath": {"path": path}}, [f"The model lies in {path} of each node as {values['file']}."]


def _check_belongs(option, source):
    for name, value in option.items():
        if value is not None and name not in ("source", "file", *BELONGS[source]):
            sources = [other for other, names in BELONGS.items() if name in names]
            raise InfraError(f"source={source} has no '{name}'", HERE, expected=f"'{name}' with {' or '.join(sources)}", fix="Leave it out")
    needed = NEEDS.get(source)
    if needed and not option[needed]:
        raise InfraError(f"source={source} needs {needed}", HERE)


def _planned(row):
    return {"name": None, "url": row.get("url"), "size_bytes": row.get("size_bytes"), "sha256": row.get("sha256")}


def _file(row, where):
    row = check_options(row, FILE_SPEC, where)
    if not row["url"] or urlsplit(row["url"]).scheme not in ("http", "https"):
        raise InfraError("the address of a file is missing", f"{where}.url", shown(row["url"]), "an http or https URL")
    parts = urlsplit(row["url"])
    if parts.username or parts.password:
        raise InfraError("a secret would stand in the values", f"{where}.url", fix="Give the token as a Secret with token_secret")
    name = _relative(row["name"] or posixpath.basename(unquote(parts.path)), f"{where}.name")
    sha256 = row["sha256"].lower() if row["sha256"] else None
    if sha256 and not _SHA256.fullmatch(sha256):
        raise InfraError("not a SHA-256", f"{where}.sha256", shown(sha256), "64 hexadecimal digits")
    return {"name": name, "url": row["url"], "sizeBytes": row["size_bytes"], "sha256": sha256}


def _relative(name, where):
    if not name or name.startswith("/") or not name.isprintable() or any(part in ("", ".", "..") for part in name.split("/")):
        raise InfraError("not the name of a file in a volume", where, shown(name), "such as model.gguf")
    return name


def _name(files):
    row = files[0] if files else {}
    return posixpath.basename(unquote(urlsplit(row["url"]).path) if row.get("url") else row.get("path") or "")


def _download(plan, option, rows):
    download = {"files": rows, "allowUnverified": bool(option["allow_unverified"])}
    if option["token_secret"]:
        download["tokenSecret"] = {"name": option["token_secret"]}
    claim = {"existing": option["claim_name"] or "", "size": option["size"] or _size(plan, rows)}
    if option["storage_class"] is not None:
        claim["storageClassName"] = option["storage_class"]
    if option["access_modes"]:
        claim["accessModes"] = option["access_modes"]
    return {"download": download, "claim": claim}


def _size(plan, rows):
    """Of a claim: the files, and what the file system keeps."""
    sizes = [row["sizeBytes"] for row in rows]
    total = sum(sizes) if all(sizes) else plan["model"]["size_bytes"] or 0
    return f"{int(total * _SPARE) // GIB + 1}Gi"


def _why_download(option, rows):
    where = f"the claim {option['claim_name']}" if option["claim_name"] else "a claim of its own, which stays when the server is removed"
    checked = "checked by its SHA-256" if all(row["sha256"] for row in rows) else "checked by the SHA-256 that its server tells"
    return [f"The model is downloaded to {where}, resumed where it was cut short, and {checked}."]
