# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one node could do alone: the same model with part of it in RAM, or a smaller quantization on its GPUs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..._memory.devices import Device
from ..._memory.host.ram import beside_bytes
from ..budget import budget_of
from ..chooser import Choice, Chooser
from ..objective import SMALLEST
from ..smaller_quantization import largest_that_fits
from ..speed.throughput import throughput


@dataclass(frozen=True)
class Alone:
    """One node's Chooser and Choice, and its C(throughput) as a plan has it. C(quantization): a smaller one, (name, size_bytes)."""

    node: str
    chooser: Chooser
    choice: Choice
    throughput: dict
    all_on_gpu: bool
    quantization: tuple[str, int] | None = None

    def tokens_per_second(self, ctx_size):
        return tokens_per_second(self.chooser, self.choice, ctx_size)

    def as_plain(self):
        where = "everything on its GPUs" if self.all_on_gpu else "part of it in its RAM"
        return {
            "node": self.node,
            "what": f"{self.quantization[0]} on {self.node} alone, {where}" if self.quantization else f"{self.node} alone, {where}",
            "quantization": self.quantization and self.quantization[0],
            "size_bytes": self.quantization and self.quantization[1],
            "ctx_size": self.choice.ctx_size,
            "decode_tokens_per_second_expected": self.throughput["decode"]["tokens_per_second_expected"],
            "prefill_tokens_per_second_expected": self.throughput["prefill"]["tokens_per_second_expected"],
        }


def tokens_per_second(chooser, choice, ctx_size):
    """What is generated in a second with half of C(ctx_size) in use, or of the whole context if that is less: rates are compared for the same."""
    allocation = choice.placement.allocation
    if ctx_size < choice.ctx_size:
        allocation = chooser.probe.with_context(allocation, ctx_size)
    return float(f"{1 / chooser.estimate.token(allocation).seconds:.3g}")


def alone(model, members, wishes):
    """The Alone of the node on which C(model) is generated fastest, in part from its RAM if need be; None where it fits on none."""
    found = []
    for chooser, name in _choosers(model, members, replace(wishes, allow_cpu=True)):
        choice = chooser.find()
        if choice.fits:
            found.append(_alone(chooser, choice, name))
    return max(found, key=lambda each: each.tokens_per_second(SMALLEST), default=None)


def smaller(model, members, wishes):
    """The Alone of the largest quantization that one node's GPUs hold, None where there is none or the model itself fits."""
    with_gpus = [member for member in members if member.node.gpus]
    if not with_gpus:
        return None
    largest = max(with_gpus, key=lambda member: sum(member.limits))
    ((chooser, name),) = _choosers(model, (largest,), wishes)
    if chooser.find().fits:
        return None
    models = {}

    def fits(other):
        choice = chooser.with_model(other).find()
        if choice.fits:
            models[sum(group.size_bytes for group in other.tensors)] = (other, choice)
        return choice.fits

    found = largest_that_fits(model, fits)
    if found is None:
        return None
    other, choice = models[max(models)]
    return replace(_alone(chooser.with_model(other), choice, name), quantization=(found.name, found.size_bytes))


def _choosers(model, members, wishes):
    """(Chooser, name) of each node, of those that are alike one."""
    seen = set()
    for member in members:
        if member.alike in seen:
            continue
        seen.add(member.alike)
        own = wishes.on(member.node)
        devices = tuple(Device(gpu.device, gpu.memory_free_bytes, chunk_bytes=member.backend.kind.chunk_bytes) for gpu in member.node.gpus)
        budget = budget_of(member.node, own, beside_bytes(model, own.slots, devices), member.backend.kind.unsure_bytes)
        yield Chooser(model, member.node, devices, budget, own), member.name


def _alone(chooser, choice, name):
    allocation = choice.placement.allocation
    return Alone(name, chooser, choice, throughput(chooser.estimate, allocation, chooser.node), chooser.all_on_gpu(allocation))
