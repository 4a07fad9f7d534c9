# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Headers → the model dict that the plugins return."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, printable, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.file_types import file_type_name
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.metadata import Skipped
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.names import title_of

ARCHITECTURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = ("general", "tokenizer", "split")

_LONGEST_TEXT = 256

_BLOCK = re.compile(r"((?:.*\.)?blk\.)(0|[1-9][0-9]{0,5})(\..*)", re.DOTALL)


def build_model(source, files):
    """C(files): ModelFile of every shard, in order. Plain values only."""
    first = files[0]
    metadata = first.header.metadata
    tensors = [tensor for file in files for tensor in file.header.tensors]
    architecture = _architecture(first)
    return {
        "schema": 1,
        "source": source,
        "type": _text(metadata, "general.type", "model"),
        "name": _text(metadata, "general.name", title_of(first.label)),
        "architecture": architecture,
        "quantization": file_type_name(metadata.get("general.file_type")) or _dominant_type(tensors),
        "parameters": sum(tensor.elements for tensor in tensors),
        "size_bytes": sum(file.header.size_bytes for file in files),
        "header_only": not any(file.header.tensors and not file.header.header_only for file in files),
        "files": [_file(file) for file in files],
        "gguf": {"version": first.header.version, "alignment": first.header.alignment},
        "hyperparameters": _hyperparameters(metadata, architecture),
        "tokenizer": {
            "model": _text(metadata, "tokenizer.ggml.model", None),
            "tokens": _tokens(metadata) or 0,
            "chat_template": "tokenizer.chat_template" in metadata,
        },
        "tensors": _rows(tensors),
    }


def _architecture(first):
    architecture = first.header.metadata.get("general.architecture")
    if architecture is None:
        raise InfraError("general.architecture is missing", where=first.label, fix="The file carries no model, or a damaged one.")
    if not isinstance(architecture, str) or not ARCHITECTURE.fullmatch(architecture) or architecture in _RESERVED:
        raise InfraError(
            "general.architecture is no architecture's name",
            where=first.label,
            got=shown(architecture),
            expected="a name like llama",
            fix="The file carries no model, or a damaged one.",
        )
    return architecture


def _text(metadata, key, default):
    """One line: names are shown in messages and reports."""
    value = metadata.get(key)
    if not isinstance(value, str) or not value:
        value = default
    return value and printable(value[:_LONGEST_TEXT])


def _file(file):
    row = {"path": file.path, "url": file.url, "size_bytes": file.header.size_bytes, "header_bytes": file.header.data_offset}
    if file.sha256 is not None:
        row["sha256"] = file.sha256
    return row


def _hyperparameters(metadata, architecture):
    prefix = f"{architecture}."
    values = {key[len(prefix) :]: value for key, value in metadata.items() if key.startswith(prefix)}
    tokens = _tokens(metadata)
    if tokens is not None:
        values.setdefault("vocab_size", tokens)
    return values


def _tokens(metadata):
    tokens = metadata.get("tokenizer.ggml.tokens")
    return tokens.count if isinstance(tokens, Skipped) else None


def _dominant_type(tensors):
    """The type that most bytes of weights have."""
    sizes = {}
    for tensor in tensors:
        sizes[tensor.type.name] = sizes.get(tensor.type.name, 0) + tensor.size_bytes
    return max(sizes, key=sizes.get) if sizes else None


def _rows(tensors):
    """One row per name pattern, type and shape; the numbers of the blocks that have it."""
    rows = {}
    for tensor in tensors:
        match = _BLOCK.fullmatch(tensor.name)
        if match is None:
            rows[(tensor.name, tensor.type, tensor.shape, False)] = (tensor, None)
            continue
        # A file may have a tensor whose own name is the pattern.
        key = (f"{match[1]}*{match[3]}", tensor.type, tensor.shape, True)
        rows.setdefault(key, (tensor, []))[1].append(int(match[2]))
    return [
        {
            "name": name,
            "blocks": None if blocks is None else _ranges(blocks),
            "type": tensor.type.name,
            "shape": list(tensor.shape),
            "size_bytes": tensor.size_bytes,
        }
        for (name, *_rest), (tensor, blocks) in rows.items()
    ]


def _ranges(numbers):
    """[0, 1, 2, 5] → '0-2,5'."""
    spans = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
