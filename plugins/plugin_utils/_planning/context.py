# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much context, and with it the placement.

The objective, in this order: the context asked for; everything on the GPUs; as much context as then fits.
"""

from __future__ import annotations

from dataclasses import dataclass

from .placement import Placement

STEP = 256
"""llama.cpp pads a context to this many cells."""

SMALLEST = 4096
"""A context is not reduced below this unless asked for."""

PARTIAL = 16384
"""The context where something must stay on the host: enough to work with, without taking more off the GPUs."""


@dataclass(frozen=True)
class Choice:
    """C(why): one of asked, trained, reduced, partial or smallest."""

    ctx_size: int
    placement: Placement
    fits: bool
    why: str


def choose(placer, n_ctx_train, ctx_size=None, gpu_layers=None):
    """The Choice for a context asked for, or for the best one up to C(n_ctx_train)."""
    if ctx_size is not None:
        placement, fits = placer.place(ctx_size, gpu_layers)
        return Choice(ctx_size, placement, fits, "asked")
    wanted = placer.n_layers if gpu_layers is None else gpu_layers
    placement, fits = placer.place(n_ctx_train, wanted)
    if fits:
        return Choice(n_ctx_train, placement, True, "trained")
    smallest = min(SMALLEST, n_ctx_train)
    reduced = _largest(placer, smallest, n_ctx_train, wanted)
    if reduced is not None:
        return reduced
    partial = min(PARTIAL, n_ctx_train)
    placement, fits = placer.place(partial, gpu_layers)
    if fits:
        return Choice(partial, placement, True, "partial")
    placement, fits = placer.place(smallest, gpu_layers)
    return Choice(smallest, placement, fits, "smallest")


def _largest(placer, smallest, largest, gpu_layers):
    """The largest context with which C(gpu_layers) layers fit, or None."""
    best = None
    low, high = (smallest + STEP - 1) // STEP, largest // STEP
    while low <= high:
        middle = (low + high) // 2
        placement, fits = placer.place(middle * STEP, gpu_layers)
        if fits:
            best = Choice(middle * STEP, placement, True, "reduced")
            low = middle + 1
        else:
            high = middle - 1
    return best
