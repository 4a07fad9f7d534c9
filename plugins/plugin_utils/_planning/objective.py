# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan is after: which of two choices is the better one. The only place that says so.

In this order, the same for every node and model:

1. It fits every budget.
2. The context asked for (of a range the least of it; unasked, PARTIAL where something must stay in RAM, else at least SMALLEST).
3. Everything on the GPUs, if a cache type that is allowed makes that possible, the preferred type first.
   With prefer=context the most context asked for comes before it.
4. A request is done sooner: REQUESTS says which, estimate.py how long it takes. What gains less than MARGIN (a cache type: CACHE_MARGIN)
   counts as nothing, and the choice that comes first stays: the preferred cache type, batches of 512 tokens, op_offload on, llama-server's
   own number of slots.
5. As much more context as then fits with nothing moved.
"""

from __future__ import annotations

from .estimate import Request

SMALLEST = 4096
"""A context is not reduced below this unless asked for."""

PARTIAL = 16384
"""The context where something must stay in RAM: enough to work with, without taking more off the GPUs."""

REQUESTS = {"decode": Request(2048, 1024), "prefill": Request(16384, 256), "context": Request(2048, 1024)}
"""By what the user prefers: the request whose time is compared. That of prefill is a long document with a short answer."""

MARGIN = 0.03
"""A gain below this is within what the estimate can't tell apart."""

SENTENCES = {
    "decode": "the context asked for, everything on the GPU, the time of a request of 2048 tokens and 1024 generated ones, then more context",
    "prefill": "the context asked for, everything on the GPU, the time of a request of 16384 tokens and 256 generated ones, then more context",
    "context": "the most context, everything on the GPU, the time of a request of 2048 tokens and 1024 generated ones",
}


CACHE_MARGIN = 0.05
"""A less exact cache has to gain more."""

SAME = 0.01
"""Not worth another search for a placement."""


def gain(seconds, than):
    """By how much C(seconds) is the shorter time, as a part of C(than); negative where it is longer."""
    if seconds == than:
        return 0.0
    return 1.0 if than == float("inf") else (than - seconds) / than


def better(seconds, than, margin=MARGIN):
    return gain(seconds, than) >= margin
