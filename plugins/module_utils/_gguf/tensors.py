# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tensor table of a GGUF header, under the rules by which llama.cpp accepts it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.damage import damaged
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import REMOVED_TYPES, TYPES, GgmlType

# Far above any model: unmerged experts of a large mixture come to some 20,000.
MAX_TENSORS = 65536

# GGML_MAX_NAME - 1 and GGML_MAX_DIMS of ggml.h.
_MAX_NAME_BYTES = 63
_MAX_DIMS = 4

_INT64_MAX = (1 << 63) - 1

_U64 = struct.Struct("<Q")
_U32 = struct.Struct("<I")
# For each number of dimensions: their sizes, then type and offset.
_BODIES = tuple(struct.Struct(f"<{dims}QIQ") for dims in range(_MAX_DIMS + 1))


class Tensor(NamedTuple):
    name: str
    type: GgmlType
    shape: tuple  # in GGUF's order: the row length first
    elements: int
    size_bytes: int


def read_tensors(cursor, count, alignment):
    """(tensors, bytes of their data up to the last one's end, the same with the padding behind it)."""
    label = cursor.source.label
    if count > MAX_TENSORS:
        raise damaged(label, "the number of tensors can't be right", got=count, expected=f"at most {MAX_TENSORS}")
    tensors, names = [], set()
    end = padded_end = 0
    for number in range(count):
        cursor.reading = f"tensor {number + 1} of {count}"
        tensor, offset = _read_tensor(cursor, label)
        if tensor.name in names:
            raise damaged(label, f"the tensor {shown(tensor.name)} is there twice")
        names.add(tensor.name)
        if offset != padded_end:
            raise damaged(
                label,
                f"the data of tensor {shown(tensor.name)} does not begin where the aligned data before it ends",
                got=f"offset {offset}",
                expected=padded_end,
            )
        end = padded_end + tensor.size_bytes
        padded_end = -(-end // alignment) * alignment
        if padded_end > _INT64_MAX:
            raise damaged(label, "the tensors together are larger than any file", got=f"{padded_end} bytes")
        tensors.append(tensor)
    return tensors, end, padded_end


def _read_tensor(cursor, label):
    (length,) = cursor.unpack(_U64)
    if length > _MAX_NAME_BYTES:
        raise damaged(label, "a tensor's name is too long", got=f"{length} bytes", expected=f"at most {_MAX_NAME_BYTES}")
    raw = cursor.take(length)
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise damaged(label, "a tensor's name is not UTF-8", got=shown(raw)) from None
    (dims,) = cursor.unpack(_U32)
    if dims > _MAX_DIMS:
        raise damaged(label, f"the tensor {shown(name)} has too many dimensions", got=dims, expected=f"at most {_MAX_DIMS}")
    body = cursor.unpack(_BODIES[dims])
    shape = body[:dims] or (1,)
    elements = 1
    for size in shape:
        elements *= size
    if not 0 < elements <= _INT64_MAX:
        raise damaged(label, f"the tensor {shown(name)} has an impossible shape", got=list(shape), expected=f"1 to {_INT64_MAX} elements")
    kind = _type(label, name, body[dims])
    if shape[0] % kind.block_size:
        raise damaged(
            label,
            f"the row length of tensor {shown(name)} does not fit its type {kind.name}",
            got=shape[0],
            expected=f"a multiple of {kind.block_size}",
        )
    return Tensor(name, kind, shape, elements, elements // kind.block_size * kind.block_bytes), body[dims + 1]


def _type(label, name, number):
    kind = TYPES.get(number)
    if kind is not None:
        return kind
    if number in REMOVED_TYPES:
        raise InfraError(
            f"the tensor {shown(name)} has the type {REMOVED_TYPES[number]}, which llama.cpp reads no more",
            where=label,
            fix="Take a newly quantized file of this model.",
        )
    raise InfraError(
        f"the tensor {shown(name)} has an unknown type",
        where=label,
        got=number,
        expected=f"one of ggml's types, 0 to {max(TYPES)}",
        fix="The file is damaged, or made for a llama.cpp newer than this collection knows.",
    )
