# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of a log without what stands before the message. Private: not an interface for other collections."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import printable

LONGEST_LINE = 2000
MOST_LINES = 10_000
"""Of the beginning and of the end of what was read, each. A start has fewer than 2,000."""

# common/log.cpp: common_log_entry::print. 'M.ss.mmm.uuu L ', each part of it only where it is switched on.
_PREFIX = re.compile(r"(?:\d+\.\d\d\.\d{3}\.\d{3} )?(?:([IWED]) )?")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[mK]")
_LEVELS = {"info": "I", "warn": "W", "error": "E", "debug": "D"}


class Line(NamedTuple):
    """C(level) is I, W, E, D or None."""

    level: str
    text: str


def lines(data):
    """The lines of the bytes C(data) that are not empty; of very many the first and the last."""
    every = data.decode("utf-8", "replace").split("\n")
    found = []
    for raw in every if len(every) <= 2 * MOST_LINES else every[:MOST_LINES] + every[-MOST_LINES:]:
        text = raw[: 2 * LONGEST_LINE].rstrip()
        if not text:
            continue
        level, text = _jsonl(text) if text.startswith('{"') else _plain(_COLOUR.sub("", text))
        if text:
            found.append(Line(level, printable(text[:LONGEST_LINE])))
    return found


def _plain(text):
    prefix = _PREFIX.match(text)
    return prefix.group(1), text[prefix.end() :]


def _jsonl(text):
    """A line of --log-jsonl. One that is something else is a line like any other."""
    try:
        entry = json.loads(text)
        level, message = entry["level"], entry["msg"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, text
    return _LEVELS.get(level) if isinstance(level, str) else None, message.strip("\n").replace("\n", " ") if isinstance(message, str) else ""
