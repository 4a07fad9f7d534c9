# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a start failed, from the end of a log."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.problems import problems

_LAST = 2
_LONGEST = 300


def reason(log):
    """One sentence where the log is understood, else its last lines; None for an empty log."""
    found = lines(log.encode())
    _told, failure = problems(found)
    if failure is not None:
        return failure
    last = [line.text.strip() for line in found if line.text.strip()][-_LAST:]
    return "its log ends with: " + " | ".join(text[:_LONGEST] for text in last) if last else None
