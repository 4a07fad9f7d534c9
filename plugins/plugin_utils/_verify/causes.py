# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a server does not do what was planned, as far as its log and the node's facts tell. None where they don't."""

from __future__ import annotations

from .._backend.kinds import KINDS
from .._units import MIB, human
from .inputs import number, planned_memory, rows, section

SHOWS = ("driver_mismatch", "cdi_device_missing", "no_gpu_runtime", "gpu_not_ready", "no_device_found", "backend_not_loaded", "out_of_memory")
"""Codes of the log that explain why there is less on GPUs, the surest first."""

SPARE = 256 * MIB
"""That much less free than the plan counted on is somebody's."""


def cause_of_placement(plan, log, facts):
    """Why layers, devices or buffers are not where they were planned."""
    seen = {problem.get("code"): problem.get("message") for problem in reversed(rows(log, "problems"))}
    code = next((code for code in SHOWS if code in seen), None)
    if code is not None:
        return _joined(seen[code], _of_the_node(plan, facts, code))
    planned = [gpu.get("device") for gpu in rows(section(plan, "node"), "gpus")]
    devices = [device.get("name") for device in rows(log, "devices")]
    missing = [name for name in planned if name not in devices]
    if planned and not devices:
        return _joined(_no_gpu(plan, log), _of_the_node(plan, facts, "no_device_found"))
    if missing:
        return _joined(f"the server sees {', '.join(map(str, devices))} but not {', '.join(map(str, missing))}", _of_the_node(plan, facts, None))
    return _taken(plan, log) or _not_used(plan, log)


def cause_of_failure(plan, log, facts):
    """What the plan and the facts add to the reason that the log gives."""
    codes = {problem.get("code") for problem in rows(log, "problems")}
    if "out_of_memory" in codes:
        return _taken(plan, log)
    code = next((code for code in SHOWS if code in codes), None)
    return None if code is None else _of_the_node(plan, facts, code)


def _no_gpu(plan, log):
    """The server saw no GPU: its backend is not there, or finds none."""
    kind = KINDS.get(plan.get("backend"))
    wanted = kind.device if kind else None
    loaded = [str(name) for name in log.get("backends") or []]
    if wanted in loaded:
        return f"the backend {wanted} is there but sees no GPU: it is hidden from the server, or not given to its container"
    if loaded:
        return (
            f"the server loaded the backend {' and '.join(loaded)} but not {wanted}: it is a build without it, "
            "or the driver's libraries are not there for it, as in a container that was not given the GPU"
        )
    return "the server sees no GPU: it is a build for the CPU, or the GPU is not given to it"


def _of_the_node(plan, facts, code):
    """What the facts add."""
    if not facts:
        return None
    driver = section(facts, "driver")
    vendors = {gpu.get("vendor") for gpu in rows(section(plan, "node"), "gpus")}
    if not rows(facts, "devices"):
        told = rows(facts, "problems")
        return f"the node itself finds no GPU{': ' + str(told[0].get('message')) if told else ''}"
    if driver.get("mismatch"):
        return f"the node's driver is {driver.get('version')} and its libraries are {driver.get('library_version')}: reboot it"
    if "nvidia" not in vendors:
        return None
    if code == "driver_mismatch":
        image = plan.get("image")
        return f"the node's driver {driver.get('version')} runs CUDA up to {driver.get('cuda_max')}" + (f", the image is {image}" if image else "")
    if driver.get("uvm") is False:
        return "the node has no /dev/nvidia-uvm, which CUDA needs"
    return _cdi(section(section(facts, "platform"), "cdi"), section(facts, "platform"))


def _cdi(cdi, platform):
    """Only where there is a container engine: without one there is no need of CDI."""
    if not rows(platform, "engines"):
        return None
    specs = [spec for spec in rows(cdi, "specs") if str(spec.get("kind")).startswith("nvidia.com/gpu")]
    if not specs:
        return "the node has no CDI specification of its GPUs"
    stale = [spec for spec in specs if spec.get("stale")]
    return f"its CDI specification {stale[0].get('path')} is stale: {stale[0].get('why')}" if stale else None


def _taken(plan, log):
    """Another program held memory when the server started."""
    for row in planned_memory(plan)[0]:
        device = next((device for device in rows(log, "devices") if device.get("name") == row.get("name")), {})
        free, counted = number(device, "free_bytes"), number(row, "free_bytes")
        if free is not None and counted is not None and free + SPARE < counted:
            return f"when the server started, {human(free)} were free on {row['name']}, and the plan counted on {human(counted)}: other programs hold the rest"
    return None


def _not_used(plan, log):
    """The GPUs are there and were not taken."""
    idle = [str(device.get("name")) for device in rows(log, "devices") if not device.get("used")]
    planned = number(section(plan, "placement"), "gpu_layers")
    if idle and planned:
        return f"the server sees {', '.join(idle)} but was started without it: its arguments are not the plan's"
    layers = section(log, "layers")
    if planned is not None and number(layers, "on_gpu") not in (None, planned):
        return "the server was started with other arguments than the plan's"
    return None


def cause_of_memory(log, name, used, most):
    """Why a process holds more on a GPU than planned, though its buffers may be as planned."""
    row = next((row for row in rows(section(log, "memory"), "devices") if row.get("name") == name), {})
    buffers = number(row, "total_bytes")
    if used <= most or buffers is None:
        return None
    return f"llama.cpp's buffers there are {human(buffers)}; the rest is the driver's and its libraries'"


def _joined(first, second):
    return first if second is None else f"{first}; {second}"
