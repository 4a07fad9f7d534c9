# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings in TOML text, such as containerd's config.toml. Private: not an interface for other collections."""

from __future__ import annotations

import json
import re

from .._errors import InfraError
from .settings import conflict
from .toml_scan import scan

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def set_toml(text, settings, overwrite=False):
    """The text with C(settings) set and every other line as it was, comments too.

    A key is added to its table, a table at the end. Raises InfraError for a setting that has another value (without
    C(overwrite)) and where a table is written in a way that can't be added to: inline, dotted or as an array.
    """
    for setting in settings:
        text = _set(text, setting, overwrite)
    return text


def unset_toml(text, settings):
    """The text without those of C(settings) that have exactly this value, and without the headers that are left with nothing."""
    for setting in settings:
        entry = next((entry for entry in scan(text)[0] if entry.path == setting.path), None)
        if entry and text[entry.value_start : entry.value_end] == value_text(setting.value):
            text = _without_empty(text[: entry.start] + text[entry.end :], setting.path[:-1])
    return text


def value_text(value):
    """A boolean, a whole number, a string or a list of them in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, str)):
        # A TOML basic string has the escapes of JSON.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    raise InfraError("this value can't be written to TOML", got=type(value).__name__, expected="a boolean, a whole number, a string or a list")


def _set(text, setting, overwrite):
    entries, tables = scan(text)
    parent, key = setting.path[:-1], setting.path[-1]
    wanted = value_text(setting.value)
    for entry in entries:
        if entry.path == setting.path:
            got = text[entry.value_start : entry.value_end]
            if got == wanted:
                return text
            if not overwrite:
                raise conflict(setting.path, got, wanted)
            return text[: entry.value_start] + wanted + text[entry.value_end :]
        written_inline = entry.path == setting.path[: len(entry.path)]
        written_dotted = entry.path[: len(parent)] == parent and len(entry.table) < len(parent)
        if written_inline or written_dotted:
            raise _unusual(setting.path, ".".join(entry.path))
    for table in tables:
        if table.array and table.path == setting.path[: len(table.path)]:
            raise _unusual(setting.path, f"[[{'.'.join(table.path)}]]")
    line = f"{_key_text(key)} = {wanted}\n"
    place = _end_of_table(text, entries, tables, parent)
    if place is None:
        return f"{_whole_line(text)}{chr(10) if text.strip() else ''}[{'.'.join(map(_key_text, parent))}]\n{line}"
    indent = re.match(r"[ \t]*", text[place[1] :]).group() if place[1] is not None else ""
    return _whole_line(text[: place[0]]) + indent + line + text[place[0] :]


def _end_of_table(text, entries, tables, path):
    """(offset behind the table's last key, offset of a line with its indentation), None when there is no such table."""
    inside = [entry for entry in entries if entry.table == path]
    if inside:
        return inside[-1].end, inside[-1].start
    if not path:
        first = tables[0].start if tables else len(text)
        return first, None
    header = next((table for table in tables if table.path == path), None)
    return header and (header.body, header.start)


def _without_empty(text, path):
    entries, tables = scan(text)
    used = any(entry.table[: len(path)] == path for entry in entries)
    header = next((table for table in tables if table.path == path), None)
    if not path or used or header is None or any(table.path[: len(path)] == path for table in tables if table != header):
        return text
    # Also the empty line that stood before the header.
    before = text[: header.start]
    before = before[:-1] if before.endswith("\n\n") else before
    return _without_empty(before + text[header.body :], path[:-1])


def _key_text(key):
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _whole_line(text):
    return text + "\n" if text and not text.endswith("\n") else text


def _unusual(path, found):
    return InfraError(
        "this table is written in a way that can't be added to", where=".".join(path), got=found, expected=f"[{'.'.join(path[:-1])}]",
        fix="Write the table with a header of its own",
    )  # fmt: skip
