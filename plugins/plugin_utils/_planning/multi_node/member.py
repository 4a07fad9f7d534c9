# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One of the nodes: what it has, which backend drives it, and what of its memory may be used as a worker."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from ..._backend.choice import Backend
from ..._memory.devices import Device
from ..._memory.host.process import process_bytes
from ..backend import node_and_backend
from ..budget import budget_of
from ..chosen_gpus import facts_with_devices
from ..node import Gpu, Node
from ..speed.rates import CPU
from .wishes import WHERE


@dataclass(frozen=True)
class Member:
    """C(devices): what it gives as a worker; C(limits): the bytes of each that may be used."""

    node: Node
    backend: Backend
    devices: tuple[Gpu, ...]
    limits: tuple[int, ...]

    @property
    def name(self):
        return self.node.name

    @property
    def alike(self):
        """What makes two nodes the same to a plan."""
        gpus = tuple(replace(gpu, uuid=None) for gpu in self.node.gpus)
        return replace(self.node, name="", gpus=gpus), self.backend, self.limits


def members_from_plain(nodes, wishes, message_bytes):
    """A Member for each of C({name: facts or a description}), in this order.

    C(message_bytes): the largest message to a worker, which is held in its RAM. Raises InfraError for fewer than two.
    """
    if not isinstance(nodes, dict):
        raise InfraError("not a dictionary of nodes", f"{WHERE}.nodes", shown(nodes), "{name: the facts of gpu_facts, or a description}")
    if len(nodes) < 2:
        raise InfraError("too few nodes", f"{WHERE}.nodes", len(nodes), "at least two", "Use llama_plan for one")
    _refuse_unknown_uuids(nodes, wishes)
    return tuple(_member(name, facts, wishes, message_bytes) for name, facts in nodes.items())


def _member(name, facts, wishes, message_bytes):
    try:
        node, backend = node_and_backend(*_own(name, facts, wishes))
    except InfraError as error:
        raise InfraError(error.what, f"nodes.{name}: {error.where}" if error.where else f"nodes.{name}", error.got, error.expected, error.fix) from None
    own = wishes.on(node)
    local = tuple(Device(gpu.device, gpu.memory_free_bytes) for gpu in node.gpus)
    budget = budget_of(node, own, process_bytes(local) + message_bytes, backend.kind.unsure_bytes)
    if not node.gpus:
        return Member(node, backend, (_processor(node),), (budget.ram_bytes,))
    limits = tuple(min(limit, budget.ram_bytes) if gpu.unified_memory else limit for gpu, limit in zip(node.gpus, budget.device_bytes, strict=True))
    return Member(node, backend, node.gpus, limits)


def _processor(node):
    """Without a GPU ggml-rpc-server gives the CPU as its device, whose memory is the RAM (tools/rpc/rpc-server.cpp: get_devices)."""
    return Gpu(
        device="CPU",
        name="CPU",
        vendor=CPU,
        uuid=None,
        memory_total_bytes=node.memory_total_bytes,
        memory_free_bytes=node.memory_available_bytes,
        unified_memory=True,
        compute_capability=None,
        memory_bandwidth_bytes_per_second=node.memory_bandwidth_bytes_per_second,
        matrix_flops=node.cpu_flops,
    )


def _own(name, facts, wishes):
    """The facts with the GPUs that are wished for, and the wishes: of a node with none of them its CPU."""
    uuids = wishes.devices and tuple(uuid for uuid in wishes.devices if uuid in _uuids(facts))
    if wishes.devices and not uuids:
        return facts, replace(wishes, node_name=name, backend="cpu")
    return facts_with_devices(facts, uuids), replace(wishes, node_name=name)


def _uuids(facts):
    rows = facts.get("devices") if isinstance(facts, dict) else None
    return [row.get("uuid") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _refuse_unknown_uuids(nodes, wishes):
    known = [uuid for facts in nodes.values() for uuid in _uuids(facts) if isinstance(uuid, str)]
    for index, uuid in enumerate(wishes.devices or ()):
        if uuid not in known:
            raise InfraError("no node has a GPU with this uuid", f"{WHERE}.devices[{index}]", shown(uuid), fix=nearest(uuid, known))
