# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans and what servers say, for the tests of the comparison.

The figures of TINY are those of llama_plan for the tiny model of the demo with backend vulkan.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import read

MIB = 1024 * 1024

TINY = {
    "llama_cpp": {"build": 11312, "image_build": 11312, "minimum_build": 10436},
    "inputs": "a digest",
    "model": {"name": "Tiny random llama", "quantization": "F16", "parameters": 4722944, "files": [{"path": "/m/tiny.gguf", "url": None}]},
    "node": {"name": "node", "gpus": [{"device": "Vulkan0", "name": "llvmpipe", "vendor": "intel", "uuid": None, "memory_total_bytes": 25275924480}]},
    "placement": {"gpu_layers": 5, "layers_total": 5},
    "context": {"ctx_size": 4096, "n_ctx_train": 4096, "parallel": 4, "kv_unified": True, "cache_type_k": "f16", "cache_type_v": "f16"},
    "compute": {"flash_attn": True, "batch_size": 2048, "ubatch_size": 512},
    "memory": {
        "devices": [
            {"name": "Vulkan0", "weights_bytes": 9317376, "kv_bytes": 4194304, "compute_bytes": 13641856, "total_bytes": 27153536,
             "overhead_bytes": 402653184, "free_bytes": 23000 * MIB, "reserve_bytes": 1610612736},
        ],
        "host": {"weights_bytes": 133120, "kv_bytes": 0, "compute_bytes": 5255200, "total_bytes": 5388320, "recommended_ram_bytes": 9400783200},
    },
    "backend": "vulkan",
    "image": "ghcr.io/ggml-org/llama.cpp:server-vulkan-b11312",
    "throughput": {
        "decode": {"tokens_per_second_expected": 2650.0, "tokens_per_second_low": 928.0, "tokens_per_second_high": 6900.0, "context_tokens": 2048},
        "prefill": {"tokens_per_second_expected": 1630000.0, "tokens_per_second_low": 409000.0, "tokens_per_second_high": 5560000.0, "batch_tokens": 512},
        "notes": [],
    },
    "server": {"emit": "pinned", "args": ["--gpu-layers", "5"]},
}  # fmt: skip

L4 = {"vendor": "nvidia", "name": "NVIDIA L4", "memory_total_bytes": 23034 * MIB}
TWO_L4 = {
    **TINY,
    "node": {"name": "node", "gpus": [{"device": "CUDA0", "uuid": "GPU-aa", **L4}, {"device": "CUDA1", "uuid": "GPU-bb", **L4}]},
    "placement": {"gpu_layers": 41, "layers_total": 41},
    "context": {**TINY["context"], "ctx_size": 16384, "n_ctx_train": 131072},
    "memory": {
        "devices": [
            {"name": "CUDA0", "weights_bytes": 9020 * MIB, "kv_bytes": 1344 * MIB, "compute_bytes": 180 * MIB, "total_bytes": 10544 * MIB,
             "overhead_bytes": 400 * MIB, "free_bytes": 22400 * MIB, "reserve_bytes": 1024 * MIB},
            {"name": "CUDA1", "weights_bytes": 8926 * MIB, "kv_bytes": 1216 * MIB, "compute_bytes": 241 * MIB, "total_bytes": 10383 * MIB,
             "overhead_bytes": 400 * MIB, "free_bytes": 22400 * MIB, "reserve_bytes": 1024 * MIB},
        ],
        "host": {"weights_bytes": 525 * MIB, "kv_bytes": 0, "compute_bytes": 41 * MIB, "total_bytes": 566 * MIB, "recommended_ram_bytes": 9 * 1024 * MIB},
    },
    "backend": "cuda12",
    "image": "ghcr.io/ggml-org/llama.cpp:server-cuda-b11312",
}  # fmt: skip

FACTS = {
    "devices": [{"uuid": "GPU-aa", "pci_bus_id": "0000:00:03.0"}, {"uuid": "GPU-bb", "pci_bus_id": "0000:00:04.0"}],
    "driver": {"vendor": "nvidia", "version": "550.54.15", "library_version": "550.54.15", "mismatch": False, "cuda_max": "12.4", "uvm": True},
    "platform": {
        "engines": [{"name": "podman", "version": "5.4.2"}],
        "cdi": {"specs": [{"path": "/etc/cdi/nvidia.yaml", "kind": "nvidia.com/gpu", "stale": False}]},
    },
    "problems": [],
}


def said(plan, log=None, process=None, **more):
    """What a server says that runs as planned, with the log of a fixture."""
    return {
        "total_slots": plan["context"]["parallel"],
        "n_ctx": plan["context"]["ctx_size"],
        "model_path": "/m/tiny.gguf",
        "models": [{"parameters": 4722944}],
        "build_info": "b11669-Debian",
        "log": None if log is None else read(log),
        "process": process,
        **more,
    }
