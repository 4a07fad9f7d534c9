# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An overview for a terminal."""

from __future__ import annotations

from .overview import VERDICTS
from .tables import details, errors, matrix, runs, summary

WIDEST = 60


def text(overview):
    """Lines without a line end behind the last."""
    lines = [summary(overview)]
    compared = matrix(overview)
    if compared:
        lines += ["", *_table(*compared)]
    lines += ["", *_table(*details(overview)), "", _legend(overview)]
    told = [f"  ! {sentence}" for sentence in errors(overview)]
    return "\n".join([*lines, *(["", "Without a plan", *told] if told else [])])


def _legend(overview):
    """What the words in the column Runs mean, as far as they are there."""
    rows = [row for node in overview["nodes"] for row in node["models"]]
    there = {row["verdict"] for row in rows} | ({"error"} if any(node["error"] for node in overview["nodes"]) else set())
    words = [f"{runs({'verdict': word})}: {meaning}" for word, meaning in VERDICTS.items() if word in there]
    if any(row["deployed"] for row in rows) and any(not row["deployed"] for row in rows):
        words.append("*: the model that is deployed")
    return ". ".join(words) + "."


def _table(head, rows):
    rows = [[_short(cell) for cell in row[:-1]] + [row[-1]] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _short(cell):
    return cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 3]}..."
