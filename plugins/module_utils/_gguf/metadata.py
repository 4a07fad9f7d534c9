# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The key-value pairs of a GGUF header.

Values that no planner needs (the vocabulary above all) are stepped over: only their count is kept.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.damage import damaged

# No model has more than a few hundred keys, or more than a million tokens and merges.
MAX_KEYS = 65536
MAX_STRINGS = 2 * 1024 * 1024
MAX_KEY_BYTES = 65535

# What the kept keys and values may cost together, so that a hostile header can't fill the memory.
MAX_KEPT_BYTES = 4 * 1024 * 1024

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_ARRAY_HEAD = struct.Struct("<IQ")

_UINT32, _BOOL, _STRING, _ARRAY = 4, 7, 8, 9
_NUMBERS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    _UINT32: _U32,
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    _BOOL: struct.Struct("<B"),
    10: _U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}

_DESCRIPTIVE = ("general.", "tokenizer.")
_KEPT = frozenset(
    (
        "general.architecture",
        "general.name",
        "general.type",
        "general.file_type",
        "general.alignment",
        "tokenizer.ggml.model",
    )
)


class Skipped(NamedTuple):
    """In place of a value that was stepped over: its number of array elements or of string bytes."""

    count: int


def read_metadata(cursor, count):
    """key → str, int, float, bool, a list of one of them, or Skipped; in the file's order."""
    return _Pairs(cursor).read(count)


class _Pairs:
    def __init__(self, cursor):
        self._cursor = cursor
        self._label = cursor.source.label
        self._kept_bytes = 0
        self._strings = 0

    def read(self, count):
        if count > MAX_KEYS:
            raise self._damaged("the number of keys can't be right", got=count, expected=f"at most {MAX_KEYS}")
        pairs = {}
        for number in range(count):
            self._cursor.reading = f"key {number + 1} of {count}"
            key = self._key()
            if key in pairs:
                raise self._damaged(f"the key {shown(key)} is there twice")
            self._cursor.reading = f"the value of {shown(key)}"
            pairs[key] = self._value(key)
        return pairs

    def _key(self):
        (length,) = self._cursor.unpack(_U64)
        if not 0 < length <= MAX_KEY_BYTES:
            raise self._damaged("a key has an impossible length", got=length, expected=f"1 to {MAX_KEY_BYTES} bytes")
        self._charge(64 + length)
        raw = self._cursor.take(length)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self._damaged("a key is not UTF-8", got=shown(raw)) from None

    def _value(self, key):
        (kind,) = self._cursor.unpack(_U32)
        if key == "general.alignment" and kind != _UINT32:
            raise self._damaged("general.alignment has the wrong value type", got=kind, expected=f"{_UINT32} (uint32)")
        kept = key in _KEPT or not key.startswith(_DESCRIPTIVE)
        if kind == _ARRAY:
            return self._array(key, kept)
        if kind == _STRING:
            return self._string(kept)
        (value,) = self._cursor.unpack(self._number(key, kind))
        return value != 0 if kind == _BOOL else value

    def _array(self, key, kept):
        kind, count = self._cursor.unpack(_ARRAY_HEAD)
        if kind == _STRING:
            self._strings += count
            if self._strings > MAX_STRINGS:
                raise self._damaged(f"{shown(key)} has too many strings", got=count, expected=f"at most {MAX_STRINGS} in the whole header")
            if kept:
                return [self._string(True) for _number in range(count)]
            self._cursor.skip_strings(count)
            return Skipped(count)
        layout = self._number(key, kind)
        if not kept:
            self._cursor.skip(count * layout.size)
            return Skipped(count)
        self._charge(8 * count)
        raw = self._cursor.take(count * layout.size)
        values = struct.unpack(f"<{count}{layout.format[-1]}", raw)
        return [value != 0 for value in values] if kind == _BOOL else list(values)

    def _string(self, kept):
        (length,) = self._cursor.unpack(_U64)
        if not kept:
            self._cursor.skip(length)
            return Skipped(length)
        self._charge(64 + length)
        # A name cut in the middle of a character is no reason to refuse the model.
        return self._cursor.take(length).decode("utf-8", "replace")

    def _number(self, key, kind):
        layout = _NUMBERS.get(kind)
        if layout is None:
            nested = kind == _ARRAY
            raise self._damaged(
                f"{shown(key)} is an array of arrays" if nested else f"{shown(key)} has an unknown value type",
                got=None if nested else kind,
                expected=None if nested else "0 to 12",
            )
        return layout

    def _charge(self, size_bytes):
        self._kept_bytes += size_bytes
        if self._kept_bytes > MAX_KEPT_BYTES:
            raise self._damaged(
                f"the metadata is too large (in {self._cursor.reading})",
                got=f"at least {self._kept_bytes} bytes without the tokenizer",
                expected=f"at most {MAX_KEPT_BYTES}",
            )

    def _damaged(self, what, got=None, expected=None):
        return damaged(self._label, what, got, expected)
