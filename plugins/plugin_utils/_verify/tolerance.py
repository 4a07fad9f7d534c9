# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a buffer may be from its planned size before it counts as another one.

Weights and caches are exact but for what a backend aligns and what the log rounds. Compute buffers follow the graph of one build of llama.cpp,
and the backend: 357 builds later those of a tiny model were up to 1 MiB larger (docs/verify.md has the table).
A setting that is not the planned one moves them further: flash attention off, another context, other batches.
"""

from __future__ import annotations

from .._units import MIB

FIGURES = {"weights_bytes": (2 * MIB, 100), "kv_bytes": (2 * MIB, 100), "compute_bytes": (16 * MIB, 10)}
"""For each kind of buffer the bytes that are always allowed, and the part of its size: one in so many."""


def tolerance(kind, expected):
    """The bytes that a buffer of C(expected) bytes may be off."""
    least, part = FIGURES[kind]
    return max(least, expected // part)
