# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A placement that the user fixed in part: experts, overrides, the split. Only the number of layers is left to choose."""

from __future__ import annotations

from .._memory.devices import HOST
from .._memory.settings import resolve
from .placement import Placement


class FixedPlacer:
    """Stands in for a Placer where the wishes fix something of the placement."""

    def __init__(self, model, devices, budget, fixed, probe):
        self._model = model
        self._devices = devices
        self._budget = budget
        self._probe = probe
        self._fixed = {name: list(value) if isinstance(value, tuple) else value for name, value in fixed}
        self.n_layers = model.n_layer_all + 1

    def place(self, ctx_size, gpu_layers=None):
        """(Placement, within budget) with C(gpu_layers) layers on the GPUs, or with as many as fit."""
        if not self._devices:
            return self._with(ctx_size, 0)
        if gpu_layers is not None:
            return self._with(ctx_size, self.n_layers if gpu_layers == "all" else min(gpu_layers, self.n_layers))
        everything = self._with(ctx_size, self.n_layers)
        return everything if everything[1] else self._most_layers(ctx_size)

    def _most_layers(self, ctx_size):
        """The largest number of layers with which no GPU is short."""
        best = self._with(ctx_size, 0)
        low, high = 1, self.n_layers - 1
        while low <= high:
            middle = (low + high) // 2
            tried = self._with(ctx_size, middle)
            if tried[1]:
                best, low = tried, middle + 1
            elif all(shortfall.where == "RAM" for shortfall in self._budget.shortfalls(tried[0].allocation)):
                low = middle + 1
            else:
                high = middle - 1
        return best

    def _with(self, ctx_size, gpu_layers):
        settings = resolve({**self._fixed, "ctx_size": ctx_size, "gpu_layers": gpu_layers}, self._model)
        allocation = self._probe.ask(settings)
        layers = [*allocation.layout.blocks, allocation.layout.output]
        placement = Placement(
            gpu_layers=sum(device != HOST for device in layers),
            layers_per_gpu=tuple(layers.count(number) for number in range(len(self._devices))),
            n_cpu_moe=self._model.n_layer_all if settings.cpu_moe else settings.n_cpu_moe,
            override_tensor=settings.override_tensor,
            allocation=allocation,
        )
        return placement, self._budget.holds(allocation)
