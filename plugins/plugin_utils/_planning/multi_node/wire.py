# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes over the network, and how long that takes.

The head copies inputs (positions, rows of the cache, the mask) to each device that reads them, and a result from one device to the next when
their backends differ (_memory/transfers.py). What a server has it fetches and waits for; what it sends it doesn't wait for, nor for the command to compute.

  From the head to a server: the bytes once.
  From a server to the head: the bytes once, and a round trip.
  From one server to another: both, through the head. Servers don't talk to each other.
  From a device to another of the same server: a round trip, no bytes.
  The logits of an output layer on a server: the bytes, and a round trip.

Not counted: headers, and the description of the graph, which is sent anew once in 256 tokens and for each micro-batch of a prompt, some hundred KiB
for each server. Source: ggml/src/ggml-rpc/ggml-rpc.cpp (set_tensor, get_tensor, cpy_tensor, graph_compute), ggml/src/ggml-backend.cpp
(ggml_backend_sched_compute_splits, ggml_backend_tensor_copy).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..._memory.devices import HOST
from ..._memory.transfers import transfers

SERVER_SECONDS = 2e-3
"""What each round trip takes beside the network's: threads on both sides are woken, commands read, kernels started anew. One measurement: two DGX Spark
lost 2.6 ms of a token to the round trip between them (https://github.com/defilantech/LLMKube/issues/1423), the network's part far less than 1 ms."""


@dataclass(frozen=True)
class Wire:
    """Of one token or one micro-batch. C(messages): the bytes that each worker is sent or gives at once, at most, by the node's name."""

    size_bytes: int
    round_trips: int
    messages: tuple[tuple[str, int], ...]

    def seconds(self, network):
        return self.size_bytes / network.bytes_per_second + self.round_trips * (network.round_trip_seconds + SERVER_SECONDS)

    def least_seconds(self, network):
        """The network's part."""
        return self.size_bytes / network.bytes_per_second + self.round_trips * network.round_trip_seconds


def wire_of(model, team, allocation, tokens, cells):
    """The Wire of C(tokens) of one request with C(cells) of the cache in use."""
    size_bytes = round_trips = 0
    messages = {}
    found = [(copy.source, copy.target, copy.size_bytes) for copy in transfers(model, allocation.settings, team.devices, tokens, cells)]
    if allocation.layout.output != HOST and team.devices[allocation.layout.output].remote:
        found.append((allocation.layout.output, HOST, 4 * model.n_vocab))
    for source, target, size in found:
        giver, taker = (None if number < 0 or not team.devices[number].remote else team.node_of(number) for number in (source, target))
        if giver is not None:
            round_trips += 1
        if giver == taker:
            continue
        for name in filter(None, (giver, taker)):
            size_bytes += size
            messages[name] = max(messages.get(name, 0), size)
    return Wire(size_bytes, round_trips, tuple(messages.items()))


def boundaries(team, allocation):
    """How often the layers go on on another node."""
    homes = [team.node_of(number) for number in (*allocation.layout.blocks, allocation.layout.output)]
    return sum(one != other for one, other in zip(homes, homes[1:], strict=False))
