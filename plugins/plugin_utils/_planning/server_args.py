# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan as llama-server's arguments."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._memory.host.checkpoints import PER_SLOT
from .._options import Option, check_options
from .._units import MIB
from .wishes import EMIT

SPEC = {
    "model": Option("str"),
    "alias": Option("str"),
    "host": Option("str"),
    "port": Option("int", minimum=1),
    "api_key_file": Option("str"),
    "ui": Option("bool"),
    "log_verbosity": Option("int", minimum=0, maximum=5),
    "emit": Option("str", choices=EMIT),
}


def planned_args(plan, emit):
    """The arguments that a plan decides. C(pinned): each of them, so that nothing is left for --fit to change. C(guided): --fit places layers
    and experts itself when the server starts, by the memory that is then free, with the plan's context and margins.
    """
    context, work = plan["context"], plan["compute"]
    args = [
        "--ctx-size", str(context["ctx_size"]),
        "--parallel", str(context["parallel"]),
        "--kv-unified" if context["kv_unified"] else "--no-kv-unified",
        "--batch-size", str(work["batch_size"]),
        "--ubatch-size", str(work["ubatch_size"]),
        "--flash-attn", "on" if work["flash_attn"] else "off",
        "--cache-type-k", context["cache_type_k"],
        "--cache-type-v", context["cache_type_v"],
    ]  # fmt: skip
    if emit == "pinned":
        args += _placement(plan["placement"])
    if not work["kv_offload"]:
        args.append("--no-kv-offload")
    if not work["op_offload"]:
        args.append("--no-op-offload")
    if work["load_mode"] != "auto":
        args += ["--load-mode", work["load_mode"]]
    if context["ctx_checkpoints"] != PER_SLOT:
        args += ["--ctx-checkpoints", str(context["ctx_checkpoints"])]
    args += ["--cache-ram", str(plan["memory"]["host"]["cache_ram_bytes"] // MIB)]
    return args + (["--fit", "off"] if emit == "pinned" else _guide(plan))


def _placement(placement):
    args = ["--gpu-layers", str(placement["gpu_layers"])]
    if placement["override_tensor"]:
        # before --n-cpu-moe: the first that matches a tensor wins
        args += ["--override-tensor", ",".join(placement["override_tensor"])]
    if placement["n_cpu_moe"]:
        args += ["--n-cpu-moe", str(placement["n_cpu_moe"])]
    if placement["split_mode"] != "layer":
        return [*args, "--split-mode", placement["split_mode"], "--main-gpu", str(placement["main_gpu"])]
    if len(placement["layers_per_gpu"]) > 1 and any(placement["layers_per_gpu"]):
        parts = placement["tensor_split"] or placement["layers_per_gpu"]
        args += ["--split-mode", "layer", "--tensor-split", ",".join(str(part) for part in parts)]
    return args


def _guide(plan):
    """--fit-ctx is for one stream of the cache, --fit-target one margin for each device (common/fit.cpp: n_ctx_min, margins). Only what is
    not given is changed, and one of --gpu-layers, --tensor-split, --override-tensor or --n-cpu-moe would make it give up."""
    context = plan["context"]
    streams = 1 if context["kv_unified"] else context["parallel"]
    args = ["--fit", "on", "--fit-ctx", str(context["ctx_size"] // streams)]
    margins = [str(-(-device["reserve_bytes"] // MIB)) for device in plan["memory"]["devices"]]
    return args + (["--fit-target", ",".join(margins)] if margins else [])


def server_args(plan, options):
    """The whole list for llama-server: where the model is and where to listen, then what the plan decides.

    C(plan) is the plain plan. Raises InfraError for a dictionary that is none, and for unknown options.
    """
    option = check_options(options, SPEC, "llama_server_args")
    planned = plan.get("server") if isinstance(plan, dict) else None
    if not isinstance(planned, dict) or not isinstance(planned.get("args"), list):
        raise InfraError("not a plan", got=shown(plan), expected="what the filter prositronic.infra.llama_plan returns")
    # First: it counts for what is read after it, and the backends are loaded, and logged, while --gpu-layers is read (common/arg.cpp).
    args = [] if option["log_verbosity"] is None else ["--log-verbosity", str(option["log_verbosity"])]
    args += ["--model", option["model"] or _model_path(plan)]
    if option["alias"]:
        args += ["--alias", option["alias"]]
    args += ["--host", option["host"] or "127.0.0.1", "--port", str(option["port"] or 8080)]
    if option["api_key_file"]:
        args += ["--api-key-file", option["api_key_file"]]
    args.append("--ui" if option["ui"] else "--no-ui")
    return args + emitted_args(plan, option["emit"])


def emitted_args(plan, emit):
    """The arguments that a plan decides, as it was asked for them, or as C(emit) says."""
    planned = plan["server"]
    if emit in (None, planned.get("emit")):
        return [str(argument) for argument in planned["args"]]
    return planned_args(_whole(plan), emit)


def _whole(plan):
    for part in ("context", "compute", "placement", "memory"):
        if not isinstance(plan.get(part), dict):
            raise InfraError(f"not a whole plan: it has no '{part}'", got=shown(plan), expected="what the filter prositronic.infra.llama_plan returns")
    return plan


def _model_path(plan):
    """llama-server is given the first shard; it finds the others."""
    files = plan.get("model", {}).get("files") or []
    path = files[0].get("path") if files else None
    if not path:
        raise InfraError("the plan's model is not a file on a machine", where="llama_server_args", fix="Say where it lies on the node with model=")
    return path
