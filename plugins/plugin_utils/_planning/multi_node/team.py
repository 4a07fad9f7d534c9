# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A head and its workers as one node: the devices of the workers first, in the order of --rpc, then the head's own, as llama.cpp has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from ..._backend.choice import Backend
from ..._backend.kinds import KINDS, Kind
from ..._memory.devices import Device
from ..._memory.host.ram import beside_bytes
from ..budget import budget_of
from ..node import Gpu
from .member import Member

MOST_DEVICES = 15
"""llama.cpp's scheduler has room for so many beside the CPU (ggml/src/ggml-backend.cpp: GGML_SCHED_MAX_BACKENDS)."""

NO_IMAGE = "llama.cpp's own images are built without RPC and have no ggml-rpc-server; name one that has both with image"


@dataclass(frozen=True)
class TeamBackend(Backend):
    """The head's Backend; C(kinds): what drives each device of the team, by its name."""

    kinds: tuple[tuple[str, Kind], ...] = ()

    def kind_of(self, gpu):
        return dict(self.kinds)[gpu.device]


@dataclass(frozen=True)
class Place:
    """A device of the team: its Gpu by the name that llama.cpp has for it on the head, the Member that has it, and its number there."""

    gpu: Gpu
    member: Member
    number: int
    remote: bool

    @property
    def kind(self):
        """What drives it; none of a worker's CPU."""
        return self.member.backend.kind if self.member.node.gpus else KINDS["cpu"]


@dataclass(frozen=True)
class Team:
    """The workers are in the order of --rpc."""

    head: Member
    workers: tuple[Member, ...]

    @property
    def members(self):
        return (self.head, *self.workers)

    @cached_property
    def places(self):
        """Every Place, in llama.cpp's order. A worker's devices are numbered through: RPC0, RPC1, and on (ggml-rpc.cpp: ggml_backend_rpc_add_server)."""
        theirs = [(gpu, worker, number) for worker in self.workers for number, gpu in enumerate(worker.devices)]
        remote = [Place(replace(gpu, device=f"RPC{index}"), worker, number, True) for index, (gpu, worker, number) in enumerate(theirs)]
        return (*remote, *(Place(gpu, self.head, number, False) for number, gpu in enumerate(self.head.node.gpus)))

    @cached_property
    def devices(self):
        return tuple(Device(place.gpu.device, place.gpu.memory_free_bytes, chunk_bytes=place.kind.chunk_bytes, remote=place.remote) for place in self.places)

    @cached_property
    def node(self):
        """The head with the devices of all."""
        return replace(self.head.node, name=" + ".join(member.name for member in self.members), gpus=tuple(place.gpu for place in self.places))

    @cached_property
    def backend(self):
        own = self.head.backend
        kinds = tuple((place.gpu.device, place.kind) for place in self.places)
        asked = own.image if own.build is None else None
        return TeamBackend(own.name, asked, own.reason, None if asked else NO_IMAGE, None, own.warnings, kinds)

    def budget(self, model, wishes):
        """The Budget: what each member may use of its devices, and the head's RAM."""
        own = wishes.on(self.head.node)
        whole = budget_of(self.node, own, beside_bytes(model, wishes.slots, self.devices))
        return replace(
            whole,
            device_bytes=tuple(place.member.limits[place.number] for place in self.places),
            unified=any(gpu.unified_memory for gpu in self.head.node.gpus),
            remote=frozenset(number for number, place in enumerate(self.places) if place.remote),
        )

    def numbers_of(self, member):
        """The numbers of a member's devices."""
        return tuple(number for number, place in enumerate(self.places) if place.member is member)

    def node_of(self, number):
        """The name of the node that has a device; the head's for HOST."""
        return self.head.name if number < 0 else self.places[number].member.name
