# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server logged of its start beside its plan: layers, devices, buffers, context."""

from __future__ import annotations

from .causes import cause_of_placement
from .inputs import number, planned_memory, rows, section
from .served import build_number, build_of
from .tolerance import tolerance

KINDS = {"weights_bytes": "weights", "kv_bytes": "KV cache", "compute_bytes": "compute buffer"}
LAYERS, DEVICES, BUFFERS, FLASH, CACHE = "layers on GPUs", "GPUs used", "buffers", "flash attention", "type of the KV cache"
ENOUGH = 4
VERBOSITY = "start it with --log-verbosity 4"


def compare(found, plan, info, facts):
    """Add to the Findings C(found) what the log tells."""
    log = section(info, "log")
    why = _why_not(log)
    if why is not None:
        rest = _fallen_back(found, plan, log, facts)
        for what in rest:
            found.leave_out(what, why)
        return
    before = len(found.differences)
    _layers(found, plan, log)
    _devices(found, plan, log)
    _which_gpu(found, plan, log, facts)
    _buffers(found, plan, log, _other_build(plan, info))
    _context(found, plan, section(log, "context"))
    found.explain({difference["what"] for difference in found.differences[before:] if _is_placement(difference)}, cause_of_placement(plan, log, facts))


def _fallen_back(found, plan, log, facts):
    """What is left to compare of a log that tells too little. That there is no GPU is warned of at every verbosity."""
    everything = (LAYERS, DEVICES, BUFFERS, FLASH, CACHE)
    planned = number(section(plan, "placement"), "gpu_layers")
    if not planned or "no_usable_gpu" not in [problem.get("code") for problem in rows(log, "problems")]:
        return everything
    found.same(LAYERS, planned, 0)
    found.explain({LAYERS}, cause_of_placement(plan, log, facts))
    return everything[1:]


def _why_not(log):
    """Why nothing can be told from the log; None where it can."""
    if not log:
        return "no log was read: tell llama_server_info where it is with log_file, journal_unit or container"
    if not log.get("read"):
        return f"the log could not be read: {log.get('why_not')}"
    if log.get("memory") is None and log.get("layers") is None:
        told = number(log, "verbosity")
        if told is None:
            return f"the log does not reach back to the start of the server, or it logs too little: {VERBOSITY}"
        return f"the server logs too little (--log-verbosity {told}): {VERBOSITY}" if told < ENOUGH else "the server loaded no model"
    return None


def _is_placement(difference):
    return difference["what"] in (LAYERS, DEVICES) or difference["what"].startswith(tuple(f"{name} " for name in ("weights", "KV cache")))


def _guided(plan):
    return section(plan, "server").get("emit") == "guided"


def _layers(found, plan, log):
    placement, layers = section(plan, "placement"), section(log, "layers")
    if _guided(plan):
        found.leave_out(LAYERS, "the plan leaves the placement to --fit")
    elif number(placement, "gpu_layers") is None or number(layers, "on_gpu") is None:
        found.leave_out(LAYERS, "the plan or the log does not tell them")
    else:
        found.same(LAYERS, placement["gpu_layers"], layers["on_gpu"])


def _holding(memory_rows):
    """The names of the devices that hold weights or a cache."""
    return sorted(str(row.get("name")) for row in memory_rows if (number(row, "weights_bytes") or 0) + (number(row, "kv_bytes") or 0) > 0)


def _devices(found, plan, log):
    planned, _host = planned_memory(plan)
    if log.get("memory") is None or "memory" not in plan:
        found.leave_out(DEVICES, "the plan or the log does not tell them")
        return
    expected, got = _holding(planned), _holding(rows(log["memory"], "devices"))
    if not _guided(plan):
        found.same(DEVICES, expected, got)
    elif expected and not got:
        found.differ(DEVICES, expected, got, f"{DEVICES}: planned {', '.join(expected)}, found none")
    else:
        found.checked.append(DEVICES)


def _which_gpu(found, plan, log, facts):
    """The address on the bus of each device against that of the planned GPU; only where the facts tell both, and llama.cpp's backend does."""
    addresses = {device.get("uuid"): device.get("pci_bus_id") for device in rows(facts, "devices") if device.get("uuid")}
    planned = {gpu.get("device"): gpu.get("uuid") for gpu in rows(section(plan, "node"), "gpus")}
    for device in rows(log, "devices"):
        expected, got = addresses.get(planned.get(device.get("name"))), device.get("pci_bus_id")
        if isinstance(expected, str) and isinstance(got, str):
            found.same(f"GPU of {device['name']}", expected.lower(), got.lower())


def _other_build(plan, info):
    """The micro-batch where the build that runs is not that whose rules the plan follows, or isn't known; else None."""
    if build_number(build_of(info)) == section(plan, "llama_cpp").get("build"):
        return None
    return number(section(plan, "compute"), "ubatch_size") or 0


def _buffers(found, plan, log, other_build):
    planned, host = planned_memory(plan)
    logged = section(log, "memory")
    if not logged or not host:
        found.leave_out(BUFFERS, "the plan or the log does not tell them")
        return
    if _guided(plan):
        found.leave_out(BUFFERS, "the plan leaves the placement to --fit")
        return
    by_name = {row.get("name"): row for row in rows(logged, "devices")}
    for row in planned:
        _row(found, row, by_name.get(row.get("name"), {}), f"on {row.get('name')}", other_build)
    _row(found, host, section(logged, "host"), "in RAM", other_build, bool(section(logged, "host").get("weights_mapped")))


def _row(found, expected, got, where, other_build, mapped=False):
    for kind, name in KINDS.items():
        size = number(expected, kind)
        if size is not None:
            # Of mapped weights the log tells the stretch of the file from the first to the last, whatever lies between.
            upwards = not (mapped and kind == "weights_bytes")
            found.within(f"{name} {where}", size, number(got, kind) or 0, tolerance(kind, size, other_build), upwards)


def _context(found, plan, context):
    planned, work = plan["context"], section(plan, "compute")
    if context.get("flash_attn") is None or work.get("flash_attn") is None:
        found.leave_out(FLASH, "the plan or the log does not tell it")
    else:
        found.same(FLASH, work["flash_attn"], context["flash_attn"])
    types = [context.get(f"cache_type_{which}") for which in "kv"]
    wanted = [planned.get(f"cache_type_{which}") for which in "kv"]
    if None in types or None in wanted:
        found.leave_out(CACHE, "the plan or the log does not tell it")
    else:
        found.same(CACHE, "/".join(map(str, wanted)), "/".join(map(str, types)))
