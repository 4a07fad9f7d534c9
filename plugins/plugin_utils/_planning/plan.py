# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan: everything the other files decide, as one plain dictionary."""

from __future__ import annotations

from .._memory.devices import Device
from .._memory.host.ram import beside_bytes
from .._model import model_from_plain
from . import reasons
from .alternatives import alternatives
from .backend import node_and_backend
from .budget import budget_of
from .chooser import Chooser
from .chosen_gpus import facts_with_devices
from .host_memory import host_memory
from .inputs import digest, still_holds
from .load_mode import load_mode
from .measured import with_measured
from .objective import SENTENCES
from .plan_parts import environment, llama_cpp_part, memory_part, node_part
from .server_args import planned_args
from .speed.throughput import throughput
from .wishes import wishes_from_plain
from .would_help import missing, would_help

SCHEMA = 2
MODEL_KEYS = ("name", "architecture", "quantization", "parameters", "size_bytes", "source", "header_only", "files")


def plan(model_plain, node_plain, wishes_plain, previous=None, measured=None):
    """The plan for a model (of the lookup gguf) on a node (the facts of gpu_facts) under wishes, all plain dictionaries.

    C(previous), a plan made from the same model, node and wishes, is returned as it is: the server that runs it
    holds the memory that a new plan would find taken. C(measured), of an earlier run on this host, is only shown beside what is expected.
    C(fits) says whether it can run; a plan that doesn't fit is returned too, with what is missing.
    Raises InfraError for malformed input and for an architecture whose memory is not modelled.
    """
    model = model_from_plain(model_plain)
    wishes = wishes_from_plain(wishes_plain)
    node, backend = node_and_backend(facts_with_devices(node_plain, wishes.devices), wishes)
    inputs = digest(SCHEMA, model_plain, node, wishes)
    if still_holds(previous, inputs):
        return with_measured(previous, measured)
    wishes = wishes.on(node)
    devices = tuple(Device(gpu.device, gpu.memory_free_bytes, chunk_bytes=backend.kind.chunk_bytes) for gpu in node.gpus)
    budget = budget_of(node, wishes, beside_bytes(model, wishes.slots, devices), backend.kind.unsure_bytes)
    chooser = Chooser(model, node, devices, budget, wishes)
    return with_measured({"schema": SCHEMA, "inputs": inputs, **made_plan(model_plain, chooser, chooser.find(), backend)}, measured)


def made_plan(model_plain, chooser, choice, backend, flags=()):
    """All of a plan but C(schema) and C(inputs), for a Choice of a Chooser and the Backend of its node.

    C(flags): what the server is told beside the plan's own arguments, for the least build that is safe.
    """
    model, node, wishes, budget, devices = chooser.model, chooser.node, chooser.wishes, chooser.budget, chooser.devices
    allocation = choice.placement.allocation
    settings = allocation.settings
    mode, why_mode = load_mode(wishes, node, chooser.estimate.work(allocation).host_bytes, settings.op_offload)
    host = host_memory(model, node, devices, budget, allocation, mode)
    lacking = missing(chooser, choice)
    made = {
        "model": {**{key: model_plain.get(key) for key in MODEL_KEYS}, "name": model.name, "quantization": model.quantization},
        "node": node_part(node),
        "objective": {"prefer": wishes.prefer, "in_words": SENTENCES[wishes.prefer]},
        "fits": choice.fits,
        "placement": {
            "gpu_layers": choice.placement.gpu_layers,
            "layers_total": model.n_layer_all + 1,
            "layers_per_gpu": list(choice.placement.layers_per_gpu),
            "all_on_gpu": chooser.all_on_gpu(allocation),
            "blocks_partly_in_ram": sum(chooser.estimate.work(allocation).apart),
            "n_cpu_moe": choice.placement.n_cpu_moe,
            "override_tensor": list(choice.placement.override_tensor),
            "split_mode": settings.split_mode,
            "main_gpu": settings.main_gpu,
            "tensor_split": _whole_numbers(settings.tensor_split),
        },
        "context": {
            "ctx_size": settings.n_ctx,
            "asked": wishes.ctx_min is not None,
            "n_ctx_train": model.n_ctx_train,
            "parallel": settings.n_seq_max,
            "ctx_checkpoints": host.checkpoints,
            "kv_unified": settings.kv_unified,
            "cache_type_k": settings.cache_type_k,
            "cache_type_v": settings.cache_type_v,
        },
        "compute": {
            "batch_size": settings.n_batch,
            "ubatch_size": settings.n_ubatch,
            "flash_attn": settings.flash_attn,
            "op_offload": settings.op_offload,
            "kv_offload": settings.kv_offload,
            "load_mode": mode,
        },
        "memory": memory_part(node, backend, budget, allocation, host.ram),
        "backend": backend.name,
        "image": backend.image,
        "throughput": throughput(chooser.estimate, allocation, node),
        "missing": lacking,
        "would_help": would_help(chooser, choice, lacking),
        "alternatives": alternatives(chooser, choice),
    }
    args = planned_args(made, wishes.emit)
    llama_cpp = llama_cpp_part(backend, (*args, *flags))
    return {
        "llama_cpp": llama_cpp,
        **made,
        "reasons": reasons.reasons(chooser, choice, backend, llama_cpp, host, why_mode),
        "warnings": reasons.warnings(chooser, choice, backend, llama_cpp),
        "server": {"emit": wishes.emit, "args": args, "env": environment(node, backend)},
    }


def _whole_numbers(parts):
    """Parts as they are given to llama-server: 24, not 24.0."""
    return None if parts is None else [int(part) if part == int(part) else part for part in parts]
