# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A log as the module returns it. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.facts import Facts
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.problems import problems

MOST_WARNINGS = 20
LONGEST_WARNING = 300


def report(text):
    """What the Text C(text) says."""
    found = lines(text.first)
    # What lies between the two parts was not read.
    last = lines(text.last)
    facts = Facts().read(found)
    told, failure = problems(found + last)
    return {
        "source": text.source,
        "read": text.problem is None and bool(found or last),
        "whole": text.whole,
        "why_not": text.problem or (None if found or last else "it is empty"),
        **facts.plain(),
        "problems": told,
        "failure": failure,
        "warnings": _warnings(found + last),
    }


def _warnings(found):
    """The last lines with the level W or E, each once."""
    texts = list(dict.fromkeys(line.text[:LONGEST_WARNING] for line in found if line.level in ("W", "E")))
    return texts[-MOST_WARNINGS:]
