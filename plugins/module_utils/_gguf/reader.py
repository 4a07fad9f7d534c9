# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bytes → Header. Reads the header of one GGUF file and nothing behind it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.cursor import Cursor
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.damage import damaged
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.magic import MAGIC, not_gguf
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.metadata import read_metadata
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.tensors import read_tensors
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.units import size_text

_VERSION = struct.Struct("<I")
_COUNTS = struct.Struct("<QQ")

_NEWEST_VERSION = 3
_DEFAULT_ALIGNMENT = 32


class Header(NamedTuple):
    version: int
    alignment: int
    metadata: dict
    tensors: list
    data_offset: int
    size_bytes: int  # of the whole file, according to its tensor table
    header_only: bool  # there are tensors, but the file ends where their data would begin


def read_header(source):
    """C(source): see cursor.py."""
    cursor = Cursor(source)
    version = _read_version(cursor)
    cursor.reading = "the counts of tensors and keys"
    tensor_count, key_count = cursor.unpack(_COUNTS)
    metadata = read_metadata(cursor, key_count)
    alignment = _alignment(source.label, metadata)
    tensors, data_bytes, padded_data_bytes = read_tensors(cursor, tensor_count, alignment)
    data_offset = cursor.offset
    if tensors:
        cursor.reading = "the padding in front of the tensor data"
        cursor.skip(-data_offset % alignment)
        data_offset = cursor.offset
    return Header(
        version=version,
        alignment=alignment,
        metadata=metadata,
        tensors=tensors,
        data_offset=data_offset,
        size_bytes=data_offset + padded_data_bytes,
        header_only=_is_header_only(source, data_offset, data_bytes),
    )


def _read_version(cursor):
    source = cursor.source
    if source.size == 0:
        raise InfraError("the file is empty", where=source.label, fix="Download it again.")
    start = cursor.peek(64)
    if start[:4] != MAGIC:
        raise not_gguf(source.label, start)
    cursor.skip(len(MAGIC))
    (version,) = cursor.unpack(_VERSION)
    if version in (2, _NEWEST_VERSION):
        return version
    if version & 0xFFFF == 0:
        what, fix = "the file is big-endian", "Take a little-endian file, or convert it with gguf-py's gguf_convert_endian.py."
    elif version == 1:
        what, fix = "GGUF version 1 is not readable any more", "Take a newer file of this model."
    else:
        what, fix = "unknown GGUF version", "The file is damaged, or newer than this collection knows."
    raise InfraError(what, where=source.label, got=version, expected=f"version 2 or {_NEWEST_VERSION}", fix=fix)


def _alignment(label, metadata):
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if alignment == 0 or alignment & (alignment - 1):
        raise damaged(label, "general.alignment is not a power of two", got=alignment, expected="usually 32")
    return alignment


def _is_header_only(source, data_offset, data_bytes):
    if source.size >= data_offset + data_bytes:
        return False
    if source.size == data_offset:
        return True
    raise InfraError(
        "the file is incomplete: part of the weights is missing",
        where=source.label,
        got=size_text(source.size),
        expected=f"at least {size_text(data_offset + data_bytes)} according to its tensor table",
        fix="Let the download finish, or download the file again.",
    )
