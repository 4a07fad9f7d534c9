# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The node, its memory and the server's environment as a plan shows them."""

from __future__ import annotations

from .._backend.security import minimum_build
from .._hardware.overhead import overhead
from .._memory import LLAMA_CPP


def overhead_bytes(backend, gpu):
    """What a Backend takes on a Gpu outside llama.cpp's buffers."""
    name = backend.kind_of(gpu).overhead
    return overhead(name, gpu)[0] if name else 0


def node_part(node):
    return {
        "name": node.name,
        "gpus": [
            {"device": gpu.device, "name": gpu.name, "vendor": gpu.vendor, "uuid": gpu.uuid, "memory_total_bytes": gpu.memory_total_bytes} for gpu in node.gpus
        ],
        "memory_total_bytes": node.memory_total_bytes,
    }


def memory_part(node, backend, budget, allocation, ram):
    return {
        "devices": [
            {
                "name": gpu.device,
                **_buffers(buffers),
                "overhead_bytes": overhead_bytes(backend, gpu),
                "free_bytes": gpu.memory_free_bytes,
                "reserve_bytes": gpu.memory_free_bytes - limit,
                "unused_bytes": limit - buffers.total_bytes,
            }
            for gpu, limit, buffers in zip(node.gpus, budget.device_bytes, allocation.devices, strict=True)
        ],
        "host": {
            **_buffers(allocation.host),
            "output_bytes": ram.output_bytes,
            "vocabulary_bytes": ram.vocabulary_bytes,
            "process_bytes": ram.process_bytes,
            "loading_bytes": ram.loading_bytes,
            "checkpoint_bytes": ram.checkpoint_bytes,
            "checkpoints_bytes": ram.checkpoints_bytes,
            "cache_ram_bytes": ram.cache_ram_bytes,
            "min_ram_bytes": ram.min_bytes,
            "recommended_ram_bytes": ram.recommended_bytes,
            "available_bytes": node.memory_available_bytes,
            "reserve_bytes": max(node.memory_available_bytes - budget.ram_bytes - budget.ram_beside_bytes, 0),
        },
    }


def _buffers(buffers):
    return {
        "weights_bytes": buffers.weights_bytes,
        "kv_bytes": buffers.kv_bytes,
        "compute_bytes": buffers.compute_bytes,
        "total_bytes": buffers.total_bytes,
    }


def llama_cpp_part(backend, args):
    """The build whose memory rules the plan follows, and the least that is safe with its flags."""
    least, holes = minimum_build(args)
    why = [{"build": hole.fixed_in, "flag": hole.flag, "name": hole.name, "what": hole.what, "source": hole.source} for hole in holes]
    return {**LLAMA_CPP, "image_build": backend.build, "minimum_build": least, "minimum_build_reasons": why}


def environment(node, backend):
    """The GPUs by uuid and in the order of the plan; CUDA's own order is by speed."""
    uuids = [gpu.uuid for gpu in node.gpus]
    if backend.kind.overhead != "cuda":
        return {}
    variables = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if all(uuids):
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(uuids)
    return variables
