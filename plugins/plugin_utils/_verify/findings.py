# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a comparison found: differences, what was compared, and what could not be. A comparison that was left out is never silent."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._units import human


@dataclass
class Findings:
    """C(differences), C(checked) and C(not_checked) as the filter returns them."""

    differences: list = field(default_factory=list)
    checked: list = field(default_factory=list)
    not_checked: list = field(default_factory=list)

    def same(self, what, expected, got):
        """Compare two values that have to be equal."""
        self.checked.append(what)
        if expected != got:
            self.differ(what, expected, got, f"{what}: planned {_said(expected)}, found {_said(got)}")

    def within(self, what, expected, got, tolerance, upwards=True):
        """Compare two sizes that may be C(tolerance) bytes apart; more is no difference unless C(upwards)."""
        self.checked.append(what)
        if got < expected - tolerance or (upwards and got > expected + tolerance):
            self.differ(what, expected, got, f"{what}: planned {human(expected)}, found {human(got)}")

    def at_most(self, what, limit, got):
        self.checked.append(what)
        if got > limit:
            self.differ(what, limit, got, f"{what}: planned at most {human(limit)}, found {human(got)}")

    def differ(self, what, expected, got, message):
        self.differences.append({"what": what, "expected": expected, "got": got, "cause": None, "message": message})

    def leave_out(self, what, why):
        self.not_checked.append({"what": what, "why": why})

    def explain(self, what, cause):
        """Give the differences called C(what) the cause C(cause), unless it is None. The first of them says it in its message."""
        told = [difference for difference in self.differences if difference["what"] in what and difference["cause"] is None]
        if cause is None or not told:
            return
        for difference in told:
            difference["cause"] = cause
        told[0]["message"] += f" ({cause})"

    def plain(self):
        return {"agrees": not self.differences, "differences": self.differences, "checked": self.checked, "not_checked": self.not_checked}


def _said(value):
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "nothing" if value is None else str(value)
