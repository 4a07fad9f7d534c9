# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan: a plain dictionary that every renderer, role and check takes."""

from __future__ import annotations

from dataclasses import replace

from .._memory import LLAMA_CPP
from .._memory.devices import Device
from .._model import model_from_plain
from .._units import MIB
from . import reasons
from .backend import backend_of
from .budget import budget_of
from .context import choose
from .inputs import digest, still_holds
from .node import node_from_plain
from .placement import Placer
from .server_args import planned_args
from .throughput import decode
from .wishes import wishes_from_plain

SCHEMA = 1
CACHE_RAM_BYTES = 8192 * MIB
"""llama-server's prompt cache in RAM, unless told otherwise (common/common.h: cache_ram_mib)."""

MODEL_KEYS = ("name", "architecture", "quantization", "parameters", "size_bytes", "source", "header_only", "files")


def plan(model_plain, node_plain, wishes_plain, previous=None):
    """The plan for a model (of the lookup gguf) on a node (the facts of gpu_facts) under wishes, all plain dictionaries.

    C(previous), a plan made from the same model, node and wishes, is returned as it is: the server that runs it
    holds the memory that a new plan would find taken. C(fits) says whether it can run; a plan that doesn't fit is returned too, with what is missing.
    Raises InfraError for malformed input and for an architecture whose memory is not modelled.
    """
    model = model_from_plain(model_plain)
    wishes = wishes_from_plain(wishes_plain)
    node = node_from_plain(node_plain, wishes.node_name)
    if wishes.cpu_only:
        node = replace(node, gpus=())
    inputs = digest(SCHEMA, model_plain, node, wishes)
    if still_holds(previous, inputs):
        return previous
    budget = budget_of(node, wishes)
    devices = tuple(Device(gpu.device, gpu.memory_free_bytes) for gpu in node.gpus)
    choice = choose(Placer(model, devices, budget, wishes.fixed), model.n_ctx_train, wishes.ctx_size, wishes.gpu_layers)
    allocation = choice.placement.allocation
    settings = allocation.settings
    cache_ram_bytes = _cache_ram(budget, allocation)
    backend = backend_of(node)
    return {
        "schema": SCHEMA,
        "inputs": inputs,
        "llama_cpp": dict(LLAMA_CPP),
        "model": {key: model_plain.get(key) for key in MODEL_KEYS},
        "node": _node(node),
        "fits": choice.fits,
        "placement": {
            "gpu_layers": choice.placement.gpu_layers,
            "layers_total": model.n_layer_all + 1,
            "layers_per_gpu": list(choice.placement.layers_per_gpu),
            "n_cpu_moe": choice.placement.n_cpu_moe,
            "override_tensor": list(choice.placement.override_tensor),
            "split_mode": settings.split_mode,
        },
        "context": {
            "ctx_size": settings.n_ctx,
            "n_ctx_train": model.n_ctx_train,
            "parallel": settings.n_seq_max,
            "kv_unified": settings.kv_unified,
            "cache_type_k": settings.cache_type_k,
            "cache_type_v": settings.cache_type_v,
        },
        "memory": _memory(node, wishes, budget, allocation, cache_ram_bytes),
        "backend": backend.name,
        "image": backend.image,
        "throughput": {"decode": decode(model, node, devices, allocation)},
        "server": {
            "args": planned_args(settings, len(devices), choice.placement.layers_per_gpu, cache_ram_bytes),
            "env": _environment(node),
        },
        "reasons": reasons.reasons(model, node, wishes, budget, choice, backend, cache_ram_bytes),
        "warnings": reasons.warnings(model, node, choice, settings),
    }


def _cache_ram(budget, allocation):
    """The prompt cache: llama-server's own default, or the whole MiB that the RAM's budget still holds."""
    used = allocation.host.total_bytes
    if budget.unified:
        used += sum(buffers.total_bytes for buffers in allocation.devices)
    return min(CACHE_RAM_BYTES, max(budget.ram_bytes - used, 0) // MIB * MIB)


def _node(node):
    return {
        "name": node.name,
        "gpus": [{"device": gpu.device, "name": gpu.name, "uuid": gpu.uuid, "memory_total_bytes": gpu.memory_total_bytes} for gpu in node.gpus],
        "memory_total_bytes": node.memory_total_bytes,
    }


def _memory(node, wishes, budget, allocation, cache_ram_bytes):
    return {
        "devices": [
            {
                "name": gpu.device,
                **_buffers(buffers),
                "free_bytes": gpu.memory_free_bytes,
                "reserve_bytes": gpu.memory_free_bytes - limit,
                "unused_bytes": limit - buffers.total_bytes,
            }
            for gpu, limit, buffers in zip(node.gpus, budget.device_bytes, allocation.devices, strict=True)
        ],
        "host": {
            **_buffers(allocation.host),
            "cache_ram_bytes": cache_ram_bytes,
            "available_bytes": node.memory_available_bytes,
            "reserve_bytes": node.memory_available_bytes - budget.ram_bytes,
        },
    }


def _buffers(buffers):
    return {
        "weights_bytes": buffers.weights_bytes,
        "kv_bytes": buffers.kv_bytes,
        "compute_bytes": buffers.compute_bytes,
        "total_bytes": buffers.total_bytes,
    }


def _environment(node):
    """The GPUs by uuid and in the order of the plan; CUDA's own order is by speed."""
    uuids = [gpu.uuid for gpu in node.gpus]
    if not node.gpus or node.gpus[0].vendor != "nvidia":
        return {}
    environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if all(uuids):
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(uuids)
    return environment
