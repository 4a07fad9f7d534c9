# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of one model, checked against each other."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.cursor import MAX_HEADER_BYTES
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.metadata import MAX_KEYS
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.reader import Header, read_header
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.tensors import MAX_TENSORS

# Every shard may be as expensive to read as one file is at most, but not all of them.
_MAX_KEYS = 2 * MAX_KEYS
_MAX_HEADER_BYTES = 2 * MAX_HEADER_BYTES

_SAME_MODEL = "The shards belong to different models; fetch all of them again from one place."


class ModelFile(NamedTuple):
    label: str
    path: str
    url: str
    sha256: str
    header: Header


def read_files(sources, count):
    """Reads C(count) sources, the shards of one model in order; each is opened only once the one before it is accepted."""
    files, names, keys, header_bytes = [], set(), 0, 0
    for source in sources:
        with source:
            file = ModelFile(source.label, source.path, source.url, source.sha256, read_header(source))
        keys, header_bytes = keys + len(file.header.metadata), header_bytes + file.header.data_offset
        if keys > _MAX_KEYS or header_bytes > _MAX_HEADER_BYTES:
            raise InfraError("the headers of the shards are too large together", where=file.label, fix=_SAME_MODEL)
        _check_numbers(file, len(files), count)
        _check_model(file, files)
        _check_tensors(file, names)
        # Only the first shard's metadata describes the model.
        files.append(file if not files else file._replace(header=file.header._replace(metadata={})))
    _check_total(files, names)
    _check_weights(files)
    return files


def _check_numbers(file, index, count):
    metadata = file.header.metadata
    said = metadata.get("split.count", 0)
    if count == 1 and said in (0, 1):
        return
    if count == 1:
        raise InfraError(
            f"this is one shard of a model split into {shown(said)}, but its name does not say which",
            where=file.label,
            expected=f"a name like model-00001-of-{shown(said):0>5}.gguf",
            fix="Give all shards the names they were published under.",
        )
    if said != count:
        raise InfraError(
            "split.count and the file's name differ",
            where=file.label,
            got=f"split.count {shown(said)}",
            expected=count,
            fix="Give the file the name it was published under, or download it again.",
        )
    if metadata.get("split.no") != index:
        raise InfraError(
            "split.no and the file's name differ",
            where=file.label,
            got=f"split.no {shown(metadata.get('split.no'))}",
            expected=f"{index} (counted from 0)",
            fix="Give the file the name it was published under, or download it again.",
        )


def _check_model(file, files):
    if not files:
        return
    # Later shards usually carry only the split.* keys.
    for key in ("general.architecture", "general.name", "split.tensors.count"):
        first, here = files[0].header.metadata.get(key), file.header.metadata.get(key)
        if here is not None and here != first:
            raise InfraError(f"{key} is not that of the first shard", where=file.label, got=shown(here), expected=shown(first), fix=_SAME_MODEL)


def _check_tensors(file, names):
    for tensor in file.header.tensors:
        if tensor.name in names:
            raise InfraError(f"the tensor {shown(tensor.name)} is already in another shard", where=file.label, fix=_SAME_MODEL)
        names.add(tensor.name)
    if len(names) > MAX_TENSORS:
        raise InfraError("the shards have too many tensors", where=file.label, got=len(names), expected=f"at most {MAX_TENSORS}")


def _check_total(files, names):
    said = files[0].header.metadata.get("split.tensors.count")
    if len(files) > 1 and said != len(names):
        raise InfraError("the shards do not have all tensors", where=files[0].label, got=len(names), expected=shown(said), fix=_SAME_MODEL)


def _check_weights(files):
    with_tensors = [file for file in files if file.header.tensors]
    cut = [file for file in with_tensors if file.header.header_only]
    if cut and len(cut) < len(with_tensors):
        raise InfraError("this shard carries no weights, others do", where=cut[0].label, fix="Download it again.")
