# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of YAML that CDI specifications are written in. Private: not an interface for other collections.

A node need not have PyYAML for its python. Read are block mappings, block sequences, and scalars on one line, plain or quoted;
of flow style the empty ones and lists of scalars. Every scalar but null is a text. ValueError for anything else.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'\[\]{},&*!|>%@`-][^#:]*?|-[^\s#:][^#:]*?)\s*:(?:\s+(.*))?$""")
_DEEPEST = 40


def load(text):
    """The value that C(text) holds."""
    lines = []
    for line in text.splitlines():
        content = line.strip()
        if not content or content.startswith("#") or content in ("---", "...") or (content.startswith("%") and not lines):
            continue
        lines.append((len(line) - len(line.lstrip(" ")), content))
    if not lines:
        return None
    value, rest = _block(lines, 0, 0)
    if rest != len(lines):
        raise ValueError(f"not understood: {lines[rest][1][:60]}")
    return value


def _block(lines, at, depth):
    """(value, the next line) of the block that begins at line C(at)."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    indent, content = lines[at]
    if content == "-" or content.startswith("- "):
        return _sequence(lines, at, indent, depth)
    if _KEY.match(content):
        return _mapping(lines, at, indent, depth)
    return _scalar(content), at + 1


def _sequence(lines, at, indent, depth):
    values = []
    while at < len(lines) and lines[at][0] == indent and (lines[at][1] == "-" or lines[at][1].startswith("- ")):
        content = lines[at][1][1:].lstrip()
        if not content:
            if at + 1 < len(lines) and lines[at + 1][0] > indent:
                value, at = _block(lines, at + 1, depth + 1)
            else:
                value, at = None, at + 1
        else:
            # What follows the dash is the first line of a block of its own, further right.
            lines[at] = (indent + len(lines[at][1]) - len(content), content)
            value, at = _block(lines, at, depth + 1)
        values.append(value)
    return values, at


def _mapping(lines, at, indent, depth):
    values = {}
    while at < len(lines) and lines[at][0] == indent:
        match = _KEY.match(lines[at][1])
        if match is None:
            break
        key, content = _scalar(match.group(1)), match.group(2)
        at += 1
        if content and not content.startswith("#"):
            values[key] = _scalar(content)
        elif at < len(lines) and (lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("- "))):
            values[key], at = _block(lines, at, depth + 1)
        else:
            values[key] = None
    return values, at


def _scalar(text):
    if text[0] in "\"'":
        end = re.match(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?:#.*)?$""", text)
        if end is None:
            raise ValueError(f"not understood: {text[:60]}")
        quoted = end.group(1)
        return quoted[1:-1].replace("''", "'") if quoted[0] == "'" else re.sub(r"\\(.)", r"\1", quoted[1:-1])
    text = re.sub(r"\s+#.*$", "", text)
    if text in ("{}", "null", "~"):
        return {} if text == "{}" else None
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    if text[0] in "[{&*!|>":
        raise ValueError(f"not understood: {text[:60]}")
    return text
