# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Of a model that doesn't fit the largest quantization that would, by the size that files of it usually have."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

BITS_PER_WEIGHT = {
    "IQ1_S": 2.0042, "IQ1_M": 2.1460, "IQ2_XXS": 2.3824, "IQ2_XS": 2.5882, "IQ2_S": 2.7403, "IQ2_M": 2.9294, "Q2_K": 3.1593, "IQ3_XXS": 3.2548,
    "IQ3_XS": 3.4977, "Q3_K_S": 3.6429, "IQ3_M": 3.7628, "Q3_K_L": 4.2979, "IQ4_XS": 4.4597, "Q4_K_S": 4.6672, "Q4_K_M": 4.8944, "Q5_K_S": 5.5704,
    "Q5_K_M": 5.7036, "Q6_K": 6.5633, "Q8_0": 8.5008,
}  # fmt: skip
"""Of whole files, smallest first: those of Llama 3.1 8B (llama.cpp: tools/quantize/README.md). Larger models have a little less, for more of their
weights are in blocks."""

NAMES = tuple(BITS_PER_WEIGHT)


@dataclass(frozen=True)
class Quantization:
    """C(size_bytes): about the size of the model's file in it."""

    name: str
    size_bytes: int


def largest_that_fits(model, fits):
    """The largest Quantization of a Model, smaller than the model is, with which C(fits), a function of a Model, is true; None where there is none."""
    bits = 8 * _bytes(model) / _weights(model)
    candidates = [name for name in NAMES if BITS_PER_WEIGHT[name] < bits]
    count = bisect_left(candidates, True, key=lambda name: not fits(_requantized(model, BITS_PER_WEIGHT[name] / bits)))
    if not count:
        return None
    name = candidates[count - 1]
    return Quantization(name, int(_weights(model) * BITS_PER_WEIGHT[name] / 8))


def _requantized(model, part):
    """The Model with every tensor C(part) as large."""
    return replace(model, tensors=tuple(replace(group, size_bytes=int(group.size_bytes * part)) for group in model.tensors))


def _bytes(model):
    return sum(group.size_bytes * _count(group) for group in model.tensors)


def _weights(model):
    total = 0
    for group in model.tensors:
        elements = _count(group)
        for length in group.shape:
            elements *= length
        total += elements
    return total


def _count(group):
    return 1 if group.blocks is None else len(group.blocks)
