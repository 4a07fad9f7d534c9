# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An overview as a Markdown document."""

from __future__ import annotations

import re

from .overview import VERDICTS
from .tables import details, errors, hardware, matrix, runs, summary

_SPECIAL = re.compile(r"[\\`*\[\]<>|&~#]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown or HTML in it would take for something else than a letter. An underscore within a word is one."""


def markdown(overview):
    """The document, without a line end behind the last line."""
    lines = ["# Plans", "", escaped(summary(overview))]
    compared = matrix(overview)
    if compared:
        lines += ["", "## What fits where", "", *_table(*compared)]
    lines += ["", "## Each plan", "", *_table(*details(overview)), "", *(f"* {runs({'verdict': word})}: {meaning}" for word, meaning in VERDICTS.items())]
    lines.append("* `*` behind a model: it is the one that is deployed")
    told = [f"* {escaped(sentence)}" for sentence in errors(overview)]
    lines += ["", "## Without a plan", "", *told] if told else []
    helped = list(_would_help(overview))
    lines += ["", "## What would help", "", *helped] if helped else []
    return "\n".join([*lines, "", "## Nodes", "", *_table(("Node", "Has"), [(node["name"], hardware(node)) for node in overview["nodes"]])])


def escaped(text):
    """C(text) so that it is shown as it is."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def _would_help(overview):
    for node in overview["nodes"]:
        for row in node["models"]:
            if row["verdict"] in ("no", "gpu+ram") and row["would_help"]:
                yield f"* {escaped(node['name'])}, {escaped(row['name'])}: {escaped(' '.join(row['would_help']))}"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell if number == 1 else escaped(cell) for cell in line) + " |" for number, line in enumerate(lines)]
