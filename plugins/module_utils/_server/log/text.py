# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of a log that was read. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass

MOST_BYTES = 1024 * 1024
"""Of the beginning and of the end, each. Starts at --log-verbosity 4 that were seen have 15 KiB."""


@dataclass(frozen=True)
class Text:
    """C(first) is the beginning of the current start, C(last) its end where not all of it is in C(first); C(problem) says why there is nothing."""

    source: str
    first: bytes = b""
    last: bytes = b""
    whole: bool = True
    problem: str | None = None
