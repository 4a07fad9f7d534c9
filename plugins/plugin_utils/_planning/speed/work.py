# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one token reads and computes on each device, and on the host.

A token reads every weight that works on it once, of the experts only those used; the input layer is a look-up of one row.
A micro-batch of many tokens reads every weight once, and nearly every expert. A weight costs a token two operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ..._memory.devices import HOST
from ..._memory.weights import EXPERTS, INPUT, NO_LM_HEAD, OUTPUT, placed_tensors
from ..sizes import name_apart

OPERATIONS = 2
"""Of each weight: a multiplication and an addition."""


@dataclass(frozen=True)
class Work:
    """Each tuple has a figure for each device and, last, for the host.

    C(token_bytes): weights that one token reads. C(batch_bytes): all weights that work. C(expert_bytes): the experts among those.
    C(operations): of one token of a prompt, without those of experts, which are C(expert_operations); the output works on its last token only.
    C(blocks): blocks that run there. C(apart): blocks on a device with all that may stay in RAM (sizes.py) on the host, and with part of it.
    """

    token_bytes: tuple[int, ...]
    batch_bytes: tuple[int, ...]
    expert_bytes: tuple[int, ...]
    operations: tuple[int, ...]
    expert_operations: tuple[int, ...]
    blocks: tuple[int, ...]
    apart: tuple[int, int]

    @property
    def host_bytes(self):
        """All weights on the host that work."""
        return self.batch_bytes[-1]

    def on_host(self):
        """The same work with everything on the host."""

        def all_on_host(values):
            return (0,) * (len(values) - 1) + (sum(values),)

        return Work(
            all_on_host(self.token_bytes),
            all_on_host(self.batch_bytes),
            all_on_host(self.expert_bytes),
            all_on_host(self.operations),
            all_on_host(self.expert_operations),
            all_on_host(self.blocks),
            (0, 0),
        )

    def moved(self, moved_bytes, share):
        """With C(moved_bytes) more weights on the host, taken from the first device, of which a token reads C(share); fewer if negative."""
        moved_bytes = max(moved_bytes, -self.batch_bytes[-1])
        if not moved_bytes or len(self.batch_bytes) == 1:
            return self
        of_experts = any(self.expert_bytes)
        weights, operations = (self.expert_bytes, self.expert_operations) if of_experts else (self.batch_bytes, self.operations)
        moved_operations = moved_bytes * sum(operations) / max(sum(weights), 1)
        before = self.batch_bytes[-1]
        left = (before + moved_bytes) / before if before else 1.0
        return Work(
            token_bytes=_move(self.token_bytes, moved_bytes * share),
            batch_bytes=_move(self.batch_bytes, moved_bytes),
            expert_bytes=_move(self.expert_bytes, moved_bytes if of_experts else 0),
            operations=self.operations if of_experts else _move(self.operations, moved_operations),
            expert_operations=_move(self.expert_operations, moved_operations) if of_experts else self.expert_operations,
            blocks=self.blocks,
            apart=(self.apart[0] * min(left, 1.0), self.apart[1] * min(left, 1.0)),
        )


def _move(values, amount):
    return (max(values[0] - amount, 0), *values[1:-1], max(values[-1] + amount, 0))


def work_of(model, allocation, devices, share, has_experts):
    """The Work of an Allocation; C(share) of the experts are used."""
    count = len(devices) + 1
    token_bytes, batch_bytes, expert_bytes = [0] * count, [0] * count, [0] * count
    operations, expert_operations, blocks = [0] * count, [0] * count, [0] * count
    apart, kept, known = set(), set(), {}
    for device, size, group, block in placed_tensors(model, allocation.settings, devices, allocation.layout):
        if group.name in INPUT and device == HOST:
            continue
        if id(group) not in known:
            known[id(group)] = (bool(EXPERTS.search(group.name)), _operations(group), name_apart(group.name, has_experts))
        is_experts, needed, may_stay = known[id(group)]
        batch_bytes[device] += size
        if is_experts:
            token_bytes[device] += int(size * share)
            expert_bytes[device] += size
            expert_operations[device] += int(needed * share)
        else:
            token_bytes[device] += size
            operations[device] += needed
        if block is not None and may_stay and allocation.layout.blocks[block] != HOST:
            (apart if device == HOST else kept).add(block)
    _add_shared_output(model, allocation.layout, token_bytes, batch_bytes)
    for device in allocation.layout.blocks[: model.n_layer]:
        blocks[device] += 1
    figures = (token_bytes, batch_bytes, expert_bytes, operations, expert_operations, blocks)
    return Work(*map(tuple, figures), (len(apart - kept), len(apart & kept)))


def _operations(group):
    return 0 if len(group.shape) < 2 or group.name in INPUT or OUTPUT.match(group.name) else OPERATIONS * prod(group.shape)


def _add_shared_output(model, layout, token_bytes, batch_bytes):
    """On the host the token embedding is there once, though the output reads it as well (weights.py: tied)."""
    if layout.output != HOST or "output.weight" in model.names or model.architecture in NO_LM_HEAD:
        return
    for group in model.tensors:
        if group.name == "token_embd.weight":
            token_bytes[HOST] += group.size_bytes
            batch_bytes[HOST] += group.size_bytes
