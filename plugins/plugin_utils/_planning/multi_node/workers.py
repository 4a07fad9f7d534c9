# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each worker as the plan shows it: its layers, what they take, and how ggml-rpc-server is told."""

from __future__ import annotations

from ..._memory.devices import Device
from ..._memory.host.process import process_bytes
from ..plan_parts import environment, overhead_bytes

PARTS = ("weights_bytes", "kv_bytes", "compute_bytes")


def workers(team, allocation, layers_per_gpu, message_bytes, cache):
    """A plain dictionary for each worker, in the order of --rpc. C(message_bytes): the largest message to each, by its name."""
    return [_worker(team, worker, index, allocation, layers_per_gpu, message_bytes[worker.name], cache) for index, worker in enumerate(team.workers)]


def _worker(team, worker, index, allocation, layers_per_gpu, message_bytes, cache):
    numbers = team.numbers_of(worker)
    rows = [_device(team, number, allocation, layers_per_gpu) for number in numbers]
    sums = {part: sum(row[part] for row in rows) for part in (*PARTS, "used_bytes", "overhead_bytes")}
    own = sum(row["used_bytes"] for row, number in zip(rows, numbers, strict=True) if team.places[number].gpu.unified_memory)
    names = ",".join(row["name"] for row in rows)
    return {
        "node": worker.name,
        "backend": worker.backend.name,
        "endpoint_index": index,
        "devices": rows,
        "layers": sum(row["layers"] for row in rows),
        **sums,
        "min_ram_bytes": process_bytes(tuple(Device(gpu.device, 0) for gpu in worker.node.gpus)) + message_bytes + own,
        "cache_bytes": sums["weights_bytes"] if cache else 0,
        "args": ["--device", names, *(["--cache"] if cache else [])],
        "env": environment(worker.node, worker.backend),
    }


def _device(team, number, allocation, layers_per_gpu):
    """C(name) is what the worker calls it, C(rpc_name) what the head does."""
    place, buffers = team.places[number], allocation.devices[number]
    local = place.member.devices[place.number]
    return {
        "name": local.device,
        "rpc_name": place.gpu.device,
        "gpu": local.name,
        "uuid": local.uuid,
        "memory_free_bytes": local.memory_free_bytes,
        "layers": layers_per_gpu[number],
        **{part: getattr(buffers, part) for part in PARTS},
        "used_bytes": buffers.total_bytes,
        "overhead_bytes": overhead_bytes(team.backend, place.gpu),
    }
