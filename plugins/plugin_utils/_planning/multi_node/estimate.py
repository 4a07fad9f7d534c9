# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The model of speed with the network in it: a token and a micro-batch wait for what goes over the wire, and nothing hides behind it."""

from __future__ import annotations

from ..estimate import Estimate
from ..speed.phases import Phase
from .wire import wire_of

NETWORK = "network"
"""What the time is spent on."""


class TeamEstimate(Estimate):
    """As Estimate, for a Team.

    The head waits for what a server has computed before it gives the next one anything, so servers don't work on several micro-batches at once
    to speak of: 4 GPUs behind servers were slower at a prompt than one (https://github.com/ggml-org/llama.cpp/pull/18626).
    """

    works_as_pipeline = False

    def __init__(self, model, team, network, request):
        super().__init__(model, team.node, team.devices, request)
        self._team, self._network = team, network
        self._wires = {}

    def wire_of_token(self, allocation):
        """The Wire of a generated token with half of the context in use."""
        return self._wire(allocation, 1, allocation.settings.n_ctx_seq // 2)

    def wire_of_batch(self, allocation, tokens):
        """The Wire of the last micro-batch of the request's prompt."""
        return self._wire(allocation, tokens, self.request.prompt_tokens)

    def _wire(self, allocation, tokens, cells):
        key = (allocation.settings, tokens, cells)
        if key not in self._wires:
            self._wires[key] = wire_of(self._model, self._team, allocation, tokens, cells)
        return self._wires[key]

    def _token(self, work, allocation):
        return self._with(super()._token(work, allocation), self.wire_of_token(allocation))

    def _batch(self, work, allocation, tokens):
        return self._with(super()._batch(work, allocation, tokens), self.wire_of_batch(allocation, tokens))

    def _with(self, phase, wire):
        return Phase({**phase.expected, NETWORK: wire.seconds(self._network)}, phase.least + wire.least_seconds(self._network))
