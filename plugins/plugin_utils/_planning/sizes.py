# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each layer of a model weighs on a GPU, and which of its tensors may stay in RAM while the rest works there.

That are the experts of a model that has some: a token reads few of them. Of another model it is the feed-forward part:
most of a block, and no cache belongs to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._memory.devices import HOST
from .._memory.layout import layout
from .._memory.settings import resolve
from .._memory.weights import EXPERTS, placed_tensors

FEED_FORWARD = re.compile(r"\.(ffn_(?:up|down|gate))\.weight$")
CHOSEN_BY_HAND = ("n_cpu_moe", "cpu_moe", "override_tensor")
"""Settings with which the user says which tensors stay in RAM; then nothing more is left there."""


@dataclass(frozen=True)
class Sizes:
    """Bytes on a GPU. C(blocks): what goes where the block goes; C(apart): {name: bytes} of the tensors that need not.

    C(output): the output layer and what lies beside it. C(share): the part of the tensors apart that a token reads.
    """

    blocks: tuple[int, ...]
    apart: tuple[dict[str, int], ...]
    output: int
    share: float
    has_experts: bool

    @property
    def largest_apart(self):
        return max((size for tensors in self.apart for size in tensors.values()), default=0)


def sizes_of(model, fixed, devices):
    """The Sizes of a Model under the settings that are fixed; what these leave on the host has no size."""
    settings = resolve({**fixed, "gpu_layers": "all", "tensor_split": [1.0], "split_mode": "layer"}, model)
    has_experts = any(EXPERTS.search(group.name) for group in model.tensors)
    may_stay = not any(fixed.get(name) for name in CHOSEN_BY_HAND)
    blocks = [0] * model.n_layer_all
    apart = [{} for _block in range(model.n_layer_all)]
    output = 0
    for device, size, group, block in placed_tensors(model, settings, devices, layout(model, settings, devices)):
        if device == HOST:
            continue
        if block is None:
            output += size
            continue
        name = name_apart(group.name, has_experts) if may_stay else None
        if name is None:
            blocks[block] += size
        else:
            apart[block][name] = apart[block].get(name, 0) + size
    experts = model.integer("expert_count", 0)
    share = model.n_expert_used / experts if has_experts and experts else 1.0
    return Sizes(tuple(blocks), tuple(apart), output, share, has_experts)


def name_apart(name, has_experts):
    """The name, without block and suffix, of a tensor that may stay in RAM; None for another."""
    if has_experts:
        found = EXPERTS.search(name)
        return found.group(0)[1:] if found else None
    found = FEED_FORWARD.search(name)
    return found.group(1) if found else None
