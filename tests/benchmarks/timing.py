# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measures a function several times, and shows the figures the same way everywhere."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from dataclasses import dataclass

LABEL = 46
HEADINGS = f"{'':{LABEL}}{'min':>10}{'median':>10}{'max':>10}"


@dataclass(frozen=True)
class Times:
    """Seconds of every run."""

    seconds: tuple[float, ...]

    @property
    def median(self):
        return statistics.median(self.seconds)

    def row(self, label, more=""):
        """One line under HEADINGS: milliseconds, then C(more)."""
        figures = (min(self.seconds), self.median, max(self.seconds))
        return f"{label:{LABEL}}" + "".join(f"{1000 * figure:10.2f}" for figure in figures) + (f"  {more}" if more else "")


def measured(work, runs=20):
    """The Times of C(work), after one call that warms up."""
    work()
    return Times(tuple(seconds_of(work) for _run in range(runs)))


def seconds_of(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mib(work):
    """The most memory that Python holds during C(work). It slows C(work) down, so it is never measured together with time."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (1 << 20)


def heading(title, runs=None):
    print(f"{title}; milliseconds{f' of {runs} runs' if runs else ''}")
    print(HEADINGS)
