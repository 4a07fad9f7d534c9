# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan as llama-server's arguments."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._options import Option, check_options
from .._units import MIB

SPEC = {
    "model": Option("str"),
    "alias": Option("str"),
    "host": Option("str"),
    "port": Option("int", minimum=1),
    "api_key_file": Option("str"),
    "ui": Option("bool"),
}


def planned_args(settings, n_devices, layers_per_gpu, cache_ram_bytes):
    """The arguments that a plan decides, each pinned, so that nothing is left for --fit to change."""
    args = [
        "--ctx-size", str(settings.n_ctx),
        "--parallel", str(settings.n_seq_max),
        "--kv-unified" if settings.kv_unified else "--no-kv-unified",
        "--batch-size", str(settings.n_batch),
        "--ubatch-size", str(settings.n_ubatch),
        "--flash-attn", "on" if settings.flash_attn else "off",
        "--cache-type-k", settings.cache_type_k,
        "--cache-type-v", settings.cache_type_v,
        "--gpu-layers", str(settings.n_gpu_layers),
    ]  # fmt: skip
    if settings.override_tensor:
        # before --n-cpu-moe: the first that matches a tensor wins
        args += ["--override-tensor", ",".join(settings.override_tensor)]
    if settings.n_cpu_moe:
        args += ["--n-cpu-moe", str(settings.n_cpu_moe)]
    if n_devices > 1 and any(layers_per_gpu):
        args += ["--split-mode", settings.split_mode, "--tensor-split", ",".join(str(count) for count in layers_per_gpu)]
    if not settings.kv_offload:
        args.append("--no-kv-offload")
    if not settings.op_offload:
        args.append("--no-op-offload")
    return args + ["--cache-ram", str(cache_ram_bytes // MIB), "--fit", "off"]


def server_args(plan, options):
    """The whole list for llama-server: where the model is and where to listen, then what the plan decides.

    C(plan) is the plain plan. Raises InfraError for a dictionary that is none, and for unknown options.
    """
    option = check_options(options, SPEC, "llama_server_args")
    planned = plan.get("server") if isinstance(plan, dict) else None
    if not isinstance(planned, dict) or not isinstance(planned.get("args"), list):
        raise InfraError("not a plan", got=shown(plan), expected="what the filter prositronic.infra.llama_plan returns")
    args = ["--model", option["model"] or _model_path(plan)]
    if option["alias"]:
        args += ["--alias", option["alias"]]
    args += ["--host", option["host"] or "127.0.0.1", "--port", str(option["port"] or 8080)]
    if option["api_key_file"]:
        args += ["--api-key-file", option["api_key_file"]]
    args.append("--ui" if option["ui"] else "--no-ui")
    return args + [str(argument) for argument in planned["args"]]


def _model_path(plan):
    """llama-server is given the first shard; it finds the others."""
    files = plan.get("model", {}).get("files") or []
    path = files[0].get("path") if files else None
    if not path:
        raise InfraError("the plan's model is not a file on a machine", where="llama_server_args", fix="Say where it lies on the node with model=")
    return path
