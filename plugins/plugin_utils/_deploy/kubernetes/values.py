# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values of the chart charts/llama-server for a plan."""

from __future__ import annotations

import hashlib
import json

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..._planning.server_args import emitted_args
from ..environment import check_environment
from ..flags import check_all
from ..instance import LOG_VERBOSITY, STOP_SECONDS, check_plan, chosen_image
from ..limits import memory_limit_bytes, start_timeout_seconds
from ..unit_text import check_printable
from .gpu import pod_gpu
from .merge import merged
from .model_volume import model_volume
from .multi_node import multi_node_image, multi_node_values
from .options import WHERE, checked
from .parts import affinity, image_parts
from .probes import probes

SCHEMA_VERSION = 1
"""Of the C(plan:) block, which the chart and the helmfile refuse when they don't know it."""

_VISIBLE = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
"""A pod sees the GPUs that it is given, and no others."""


def helm_values(plan, given):
    """The values as one plain dictionary; only what differs from the chart's own defaults, or what the plan decides.

    C(given): see options.SPEC. Raises InfraError for what can't run, what is not safe, and what the build does not know.
    """
    check_plan(plan, WHERE)
    option = checked(given)
    image, build, warnings = chosen_image(plan, {**option, "image": option["image"] or multi_node_image(plan, option["multi_node"])}, WHERE)
    gpu = pod_gpu(plan, option["node_class"], option["gpu_resource"])
    model, why_model = model_volume(plan, option["model"])
    limit, why_limit = memory_limit_bytes(plan["memory"]["host"], option["memory_limit_bytes"], WHERE)
    seconds, why_seconds = start_timeout_seconds(plan["model"]["size_bytes"] or 0, option["disk_bytes_per_second"], option["start_timeout_seconds"])
    args = emitted_args(plan, option["emit"])
    extra = option["extra_args"] or []
    for argument in extra:
        check_printable(argument, f"{WHERE}.extra_args")
    warnings = [*warnings, *gpu.warnings, *check_all(args, extra, build, option["allow_tools"], WHERE)]
    env = {name: value for name, value in plan["server"]["env"].items() if name not in _VISIBLE}
    workers, why_workers, of_workers = multi_node_values(plan, option["multi_node"], option["node_class"])
    values = {
        "plan": _plan(plan, [*plan["reasons"], *gpu.reasons, *why_model, why_limit, why_seconds, *why_workers], [*plan["warnings"], *warnings, *of_workers]),
        "image": {**image_parts(image), "pullSecrets": option["image_pull_secrets"] or []},
        "workload": _workload(option),
        "server": {
            "args": args,
            "extraArgs": extra,
            "alias": check_printable(option["alias"] or plan["model"].get("name") or "", f"{WHERE}.alias"),
            "port": option["port"] or 8080,
            "ui": bool(option["ui"]),
            "metrics": bool(option["metrics"]),
            "logVerbosity": LOG_VERBOSITY if option["log_verbosity"] is None else option["log_verbosity"],
            "env": {**env, **check_environment(option["environment"], env, f"{WHERE}.environment")},
            "apiKey": {"secretName": option["api_key_secret"] or ""},
            "tls": {"secretName": option["tls_secret"] or ""},
        },
        "model": model,
        "gpu": _gpu(gpu, option),
        "resources": _resources(limit, option["cpu"]),
        "probes": probes(seconds),
        "affinity": affinity(gpu.affinity),
        "tolerations": gpu.tolerations,
        **workers,
    }
    return merged(values, option["values"] or {}, f"{WHERE}.values")


def _plan(plan, reasons, warnings):
    document = json.dumps(plan, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return {
        "schemaVersion": SCHEMA_VERSION,
        "digest": f"sha256:{hashlib.sha256(document.encode()).hexdigest()}",
        "model": plan["model"].get("name") or "",
        "quantization": plan["model"].get("quantization"),
        "gpus": [gpu["name"] for gpu in plan["node"]["gpus"]],
        "summary": _summary(plan),
        "reasons": reasons,
        "warnings": list(dict.fromkeys(warnings)),
        "document": document,
    }


def _summary(plan):
    placement, context = plan["placement"], plan["context"]
    where = f"{placement['gpu_layers']} of {placement['layers_total']} layers on GPUs" if plan["node"]["gpus"] else "all on the CPU"
    if plan["node"]["gpus"] and placement["blocks_partly_in_ram"]:
        where += f", experts of {placement['blocks_partly_in_ram']} blocks in RAM"
    rate = plan["throughput"]["decode"]["tokens_per_second_expected"]
    return f"{where}; {context['ctx_size']} tokens of context" + (f"; {rate} tokens/s expected" if rate else "")


def _workload(option):
    kind = option["kind"] or "Deployment"
    replicas = 1 if option["replicas"] is None else option["replicas"]
    return {"kind": kind, "replicas": replicas, "terminationGracePeriodSeconds": STOP_SECONDS}


def _gpu(gpu, option):
    if not gpu.count:
        return {"resourceName": ""}
    groups = [_group(name, index) for index, name in enumerate(option["device_groups"] or [])]
    values = {"resourceName": gpu.resource or "", "count": gpu.count, "runtimeClassName": option["runtime_class"] or "", "supplementalGroups": groups}
    if gpu.claim:
        values["claim"] = {"deviceClassName": gpu.claim["device_class_name"], "selectors": gpu.claim["selectors"]}
    return values


def _group(name, index):
    if not (name.isascii() and name.isdecimal() and len(name) <= 10):
        raise InfraError("not the number of a group", f"{WHERE}.device_groups[{index}]", shown(name), "a number: a name means others in an image")
    return int(name)


def _resources(limit, cpu):
    """What is granted is what may be used, so that the pod is not among the first to be evicted.

    Weights that are mapped count as page cache, which the kernel takes back at the limit; then they are read from the disk again. So they are in it.
    """
    amounts = {"memory": str(limit)}
    return {"requests": {**amounts, **({"cpu": cpu} if cpu else {})}, "limits": amounts}
