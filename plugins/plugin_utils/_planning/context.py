# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much context: what is wanted, and the most of it that fits with a placement."""

from __future__ import annotations

from dataclasses import dataclass

from .objective import PARTIAL, SMALLEST

STEP = 256
"""llama.cpp pads a context to this many cells."""

INTERPOLATED = 8
"""Guesses by straight line before the search halves: memory grows with the context in a line but for rounding."""


@dataclass(frozen=True)
class Bounds:
    """C(least) is asked for, or SMALLEST; C(partial) is where something must stay in RAM; C(asked): one number was."""

    least: int
    partial: int
    most: int
    asked: bool
    least_asked: bool


def bounds(wishes, n_ctx_train):
    """The Bounds of the Wishes for a model trained with C(n_ctx_train) tokens."""
    most = wishes.ctx_max or max(n_ctx_train, wishes.ctx_min or 0)
    if wishes.ctx_min != wishes.ctx_max and most >= STEP:
        most = max(most // STEP * STEP, wishes.ctx_min or 0)
    least = wishes.ctx_min or min(SMALLEST, most)
    partial = wishes.ctx_min or min(PARTIAL, most)
    return Bounds(least, partial, most, asked=wishes.ctx_min is not None and wishes.ctx_min == wishes.ctx_max, least_asked=wishes.ctx_min is not None)


def room(budget, allocation):
    """Bytes left in each memory, the RAM last; negative where some are missing."""
    left = [limit - buffers.total_bytes for limit, buffers in zip(budget.device_bytes, allocation.devices, strict=True)]
    return [*left, budget.ram_bytes - budget.in_ram_bytes(allocation)]


def largest(least, most, missing, try_context):
    """The largest multiple of STEP in [least, most) that fits, and what it gives; (None, None) where not even the least does.

    C(try_context): a function of a context -> (anything, whether it fits, bytes of the scarcest room). C(most) doesn't fit: C(missing), negative, is its room.
    """
    low, high = -(-least // STEP), -(-most // STEP)
    if low >= high:
        return None, None
    best, fits, left = try_context(low * STEP)
    if not fits:
        return None, None
    guesses = 0
    while high - low > 1:
        guesses += 1
        on_the_line = low + int((high - low) * left / (left - min(missing, -1)))
        middle = min(max(on_the_line, low + 1), high - 1) if guesses <= INTERPOLATED else (low + high) // 2
        tried, fits, there = try_context(middle * STEP)
        if fits:
            best, low, left = tried, middle, there
        else:
            high, missing = middle, there
    return low * STEP, best
