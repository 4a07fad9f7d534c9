# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the keys of TOML text stand. Private: not an interface for other collections.

The standard library reads TOML only from Python 3.11 on and never writes it. This finds keys and tables, without
understanding values more than is needed to know where they end, so that a text can be changed and stay the same elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._errors import InfraError

_KEY = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)')\s*""")


@dataclass(frozen=True)
class Entry:
    """A key and its value: C(path) from the top, C(table) the table it is written in, the offsets of line and value."""

    path: tuple
    table: tuple
    start: int
    value_start: int
    value_end: int
    end: int


@dataclass(frozen=True)
class Table:
    """A header: C(array) for [[name]]. C(body) is the offset behind the header's line."""

    path: tuple
    array: bool
    start: int
    body: int


def scan(text):
    """(entries, tables) in the order of the text. Raises InfraError where the text is no TOML."""
    entries, tables, table, at = [], [], (), 0
    while at < len(text):
        line_end = _line_end(text, at)
        line = text[at:line_end].strip()
        if not line or line.startswith("#"):
            at = line_end
        elif line.startswith("["):
            array = line.startswith("[[")
            path, behind = _dotted(text, text.index("[", at) + (2 if array else 1))
            if not text.startswith("]]" if array else "]", behind):
                raise _no_toml(text, at)
            table = path
            tables.append(Table(path, array, at, line_end))
            at = line_end
        else:
            path, behind = _dotted(text, at)
            if not text.startswith("=", behind):
                raise _no_toml(text, at)
            value_start = behind + 1
            while text[value_start : value_start + 1] in (" ", "\t"):
                value_start += 1
            value_end = _value_end(text, value_start)
            end = _line_end(text, value_end)
            entries.append(Entry(table + path, table, at, value_start, value_end, end))
            at = end
    return entries, tables


def _line_end(text, at):
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _dotted(text, at):
    """The keys of a dotted name, and the offset behind it."""
    path = []
    while True:
        found = _KEY.match(text, at)
        if not found:
            raise _no_toml(text, at)
        path.append(next(group for group in found.groups() if group is not None))
        at = found.end()
        if not text.startswith(".", at):
            return tuple(path), at
        at += 1


def _value_end(text, at):
    """The offset behind a value: its brackets closed, its strings ended, without a comment."""
    depth, end = 0, at
    while at < len(text):
        char = text[at]
        if char in "\"'":
            at = end = _string_end(text, at)
            continue
        if char == "#":
            at = _line_end(text, at) - (1 if text.find("\n", at) >= 0 else 0)
            continue
        if char == "\n" and depth == 0:
            break
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        at += 1
        if not char.isspace():
            end = at
    if depth:
        raise InfraError("this is no TOML: a bracket is not closed", got=text[end - 1 : end])
    return end


def _string_end(text, at):
    quote = text[at]
    mark = quote * 3 if text.startswith(quote * 3, at) else quote
    at += len(mark)
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 2
        elif text.startswith(mark, at):
            return at + len(mark)
        else:
            at += 1
    raise InfraError("this is no TOML: a string does not end")


def _no_toml(text, at):
    line = text.count("\n", 0, at) + 1
    return InfraError("this is no TOML, and nothing is changed in it", where=f"line {line}", fix="Mend the file by hand")
