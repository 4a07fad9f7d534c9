# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes to which GPU, for a given context: the question and the answer. The search for it is in search.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from .._memory.memory import Allocation
from .probe import Probe
from .search import Search
from .sizes import sizes_of


@dataclass(frozen=True)
class Placement:
    """C(gpu_layers) layers on the GPUs, C(layers_per_gpu) on each, without the experts of the first C(n_cpu_moe) blocks
    other than the tensors that C(override_tensor) puts back, or without the tensors that it puts on the CPU.

    C(apart): the tensors in RAM of blocks on a GPU, {block: names}. C(allocation) follows from all this.
    """

    gpu_layers: int
    layers_per_gpu: tuple[int, ...]
    n_cpu_moe: int
    override_tensor: tuple[str, ...]
    allocation: Allocation
    apart: dict[int, tuple[str, ...]] = field(default_factory=dict)


class Placer:
    """Places one model on one node's devices under a budget. Keeps no state between calls of place() but what the model weighs.

    C(fixed): settings of llama-server that the user chose; the rest is planned around them. C(probe): what is asked, a new one unless given.
    """

    def __init__(self, model, devices, budget, fixed, probe=None):
        self.model = model
        self.devices = devices
        self.budget = budget
        self.fixed = dict(fixed)
        self.probe = probe or Probe(model, devices)
        self.n_layers = model.n_layer_all + 1

    @cached_property
    def sizes(self):
        return sizes_of(self.model, self.fixed, self.devices)

    def place(self, ctx_size, gpu_layers=None):
        """(Placement, within budget) with C(gpu_layers) layers on the GPUs, all of them whole, or with as many as fit.

        Where nothing fits the Placement is the one that comes nearest, for the report of what is missing.
        """
        found = self.find(Search(self, ctx_size), gpu_layers)
        placement = Placement(
            gpu_layers=found.gpu_layers,
            layers_per_gpu=found.layers_per_gpu,
            n_cpu_moe=found.allocation.settings.n_cpu_moe,
            override_tensor=found.allocation.settings.override_tensor,
            allocation=found.allocation,
            apart=found.apart,
        )
        return placement, self.budget.holds(found.allocation)

    def find(self, search, gpu_layers):
        """The Try of a Search."""
        if not self.devices:
            return search.try_layers(0, ())
        if gpu_layers is None:
            return search.best()
        return search.whole(self.n_layers if gpu_layers == "all" else min(gpu_layers, self.n_layers))
