# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a buffer may be from its planned size before it counts as another one.

Weights and caches are exact but for what a backend aligns and what the log rounds. Compute buffers follow the graph of one build of llama.cpp and the backend.
Builds 11549 and 11669 keep once (in RAM beside a GPU twice) a row of embeddings in F32 for each token of a micro-batch more than build 11312, whose rules
plans follow (docs/verify.md): 8 MiB for rows of 4096 and batches of 512. So another build than the plan's is allowed as much as the widest models need.
A setting that is not the planned one moves compute buffers further: flash attention off, another context, other batches.
"""

from __future__ import annotations

from .._units import KIB, MIB

FIGURES = {"weights_bytes": (2 * MIB, 100), "kv_bytes": (2 * MIB, 100), "compute_bytes": (16 * MIB, 10)}
"""For each kind of buffer the bytes that are always allowed, and the part of its size: one in so many."""

ROWS_OF_A_TOKEN_BYTES = 128 * KIB
"""Two rows of 16384 in F32, wider than any model known."""


def tolerance(kind, expected, other_build_ubatch=None):
    """The bytes that a buffer of C(expected) bytes may be off. C(other_build_ubatch): the micro-batch, where the build is not the plan's."""
    least, part = FIGURES[kind]
    if kind == "compute_bytes" and other_build_ubatch is not None:
        least = max(least, other_build_ubatch * ROWS_OF_A_TOKEN_BYTES)
    return max(least, expected // part)
