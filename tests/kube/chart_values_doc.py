# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The comments of a chart's values.yaml, as helm-docs reads them, and the table that a README makes of them."""

from __future__ import annotations

import json
import pathlib
import re

import yaml

KEY = re.compile(r"( *)([A-Za-z]+):( .*)?$")
COMMENT = re.compile(r" *# (-- )?(.*)$")


def comments(values: pathlib.Path) -> dict[str, str]:
    """The text of each key that has one, by its path with dots."""
    found, pending, path = {}, [], []
    for line in values.read_text(encoding="utf-8").splitlines():
        comment, key = COMMENT.match(line), KEY.match(line)
        if comment and comment[1]:
            pending = [comment[2]]
        elif comment and pending:
            pending.append(comment[2])
        elif key:
            path = [*path[: len(key[1]) // 2], key[2]]
            if pending:
                found[".".join(path)] = " ".join(pending)
            pending = []
        else:
            pending = []
    return found


def table(values: pathlib.Path) -> str:
    """The lines of the table: key, default, what it is."""
    content = yaml.safe_load(values.read_text(encoding="utf-8"))
    rows = ["| key | default | |", "| --- | --- | --- |"]
    for path, text in comments(values).items():
        rows.append(f"| `{path}` | `{json.dumps(_at(content, path), ensure_ascii=False)}` | {text} |")
    return "\n".join(rows)


def undocumented(values: pathlib.Path) -> list[str]:
    """The keys that neither have a comment nor lie below one that has, and are no mere sections."""
    known = comments(values)
    leaves = _leaves(yaml.safe_load(values.read_text(encoding="utf-8")))
    return [".".join(path) for path in leaves if not any(".".join(path[:depth]) in known for depth in range(1, len(path) + 1))]


def _at(content, path):
    for key in path.split("."):
        content = content[key]
    return content


def _leaves(content, path=()):
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)
