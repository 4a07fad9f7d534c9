# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Context and layers for a team: every layer on a device, shared out over the devices of all nodes."""

from __future__ import annotations

from ..chooser import Chooser
from ..objective import REQUESTS
from ..placement import Placer
from .estimate import TeamEstimate


class TeamPlacer(Placer):
    """Never all on one device: then the others would not be needed."""

    def find(self, search, _gpu_layers):
        return search.spread_over_all()


class TeamChooser(Chooser):
    """The search for one team."""

    placer = TeamPlacer

    def __init__(self, model, team, network, wishes):
        super().__init__(model, team.node, team.devices, team.budget(model, wishes), wishes.on(team.head.node))
        self.team, self.network = team, network
        self.estimate = TeamEstimate(model, team, network, REQUESTS[wishes.prefer])

    def with_model(self, model):
        return TeamChooser(model, self.team, self.network, self.wishes)

    def uses_all(self, choice):
        """Whether every worker has a layer, and the head if it has a GPU."""
        counts = choice.placement.layers_per_gpu
        return all(any(counts[number] for number in numbers) for numbers in map(self.team.numbers_of, self.team.members) if numbers)
