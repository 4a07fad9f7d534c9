# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a start failed, from the end of a log: until something better is known, its last lines that say so."""

from __future__ import annotations

import re

_SAYS = re.compile(r"error|fail|unable|cannot|can't|invalid|denied|not found|no such|unknown|abort|killed|out of memory", re.IGNORECASE)
_LINES = 3


def reason(log):
    """Up to three lines, or None."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if _SAYS.search(line)] or lines
    return " | ".join(telling[-_LINES:])[:600] or None
