# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Layers in a row, spread over GPUs in a row."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

STEPS = 24
"""Halvings of the search for the even fill: finer than a layer of any model."""


def spread(sizes, room):
    """Layers for each GPU such that the fullest, in proportion to its C(room), is as empty as it can be.

    Layers keep their order and each goes to one GPU. Where they don't fit all GPUs are too small by about the same part.
    """
    room = [max(size, 0) for size in room]
    if not sizes or not any(room):
        return (len(sizes),) + (0,) * (len(room) - 1)
    sums = [0, *accumulate(sizes)]
    # all on the largest; what is exactly full must not fail by rounding
    high = max(sums[-1] / max(room), 1e-9) * (1 + 1e-9)
    low = min(sums[-1] / sum(room), high)
    best = _filled(sums, room, high)
    for _step in range(STEPS):
        middle = (low + high) / 2
        counts = _filled(sums, room, middle)
        if counts is None:
            low = middle
        else:
            best, high = counts, middle
    return best


def fits(sizes, room):
    """Whether layers in a row fit on GPUs in a row."""
    return _filled([0, *accumulate(sizes)], [max(size, 0) for size in room], 1) is not None


def _filled(sums, room, part):
    """Layers for each GPU, from the first on, filled to C(part) of its room; None if some are left over."""
    counts, taken = [], 0
    for size in room:
        upto = max(bisect_right(sums, sums[taken] + size * part) - 1, taken)
        counts.append(upto - taken)
        taken = upto
    return tuple(counts) if taken == len(sums) - 1 else None
