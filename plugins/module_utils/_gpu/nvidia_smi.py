# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs from nvidia-smi. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Driver, Findings, Problem, bus_name
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import TIMED_OUT

_FIELDS = ("index", "uuid", "pci.bus_id", "name", "memory.total", "memory.free", "driver_version", "compute_cap", "display_active")
# Fields that a driver may be too old to know.
_OPTIONAL = ("compute_cap", "display_active")

# Drivers from 610 on write "CUDA UMD Version" and keep the old name for a note without a number.
_CUDA_VERSION = re.compile(r"CUDA(?: UMD)? Version\s*:\s*(\d+\.\d+)")
_REFUSED_FIELD = re.compile(r'Field "([^"]+)" is not a valid field to query')

_ARCHITECTURES = {
    (5, 0): "maxwell",
    (5, 2): "maxwell",
    (5, 3): "maxwell",
    (6, 0): "pascal",
    (6, 1): "pascal",
    (6, 2): "pascal",
    (7, 0): "volta",
    (7, 2): "volta",
    (7, 5): "turing",
    (8, 0): "ampere",
    (8, 6): "ampere",
    (8, 7): "ampere",
    (8, 9): "ada",
    (9, 0): "hopper",
    (10, 0): "blackwell",
    (10, 1): "blackwell",
    (10, 3): "blackwell",
    (11, 0): "blackwell",
    (12, 0): "blackwell",
    (12, 1): "blackwell",
}

_LOST_FIX = "Look for 'Xid' in the kernel log, then reset the GPU or power-cycle the node."
_TIMEOUT_FIX = "Look for 'Xid' in the kernel log and reboot the node; where the GPU is only slow to wake, start nvidia-persistenced or raise the timeout."

_KNOWN_FAILURES = (
    # code, what nvidia-smi says, fix
    (
        "driver_not_loaded",
        "couldn't communicate with the NVIDIA driver",
        "Load the kernel module with 'modprobe nvidia' and see the kernel log if that fails; after an update of the kernel rebuild the module. "
        "A node without an NVIDIA GPU needs no driver.",
    ),
    (
        "driver_library_mismatch",
        "Driver/library version mismatch",
        "The driver was updated while its old kernel module stayed loaded: reboot the node, or stop what uses the GPU and load the nvidia modules again.",
    ),
    (
        "no_devices",
        "No devices were found",
        "See the kernel log for why the driver refused the GPU: a driver too old for it, the wrong kind of kernel module, or a fault of the card.",
    ),
    ("gpu_lost", "Unable to determine the device handle", _LOST_FIX),
    ("gpu_lost", "GPU is lost", _LOST_FIX),
    (
        "permission_denied",
        "Insufficient Permissions",
        "Let this user read and write the /dev/nvidia* devices; in a container with SELinux, switch the label off or allow devices.",
    ),
    (
        "permission_denied",
        "Permission denied",
        "Let this user run nvidia-smi, and read and write the /dev/nvidia* devices.",
    ),
    (
        "nvidia_library_missing",
        "couldn't find libnvidia-ml.so",
        "Install the driver's libraries of the same version as nvidia-smi; a container gets them from the NVIDIA Container Toolkit.",
    ),
)


def read(programs):
    """The devices and the driver that nvidia-smi tells of."""
    if not programs.has("nvidia-smi"):
        return Findings()
    fields, rc, output = _query(programs)
    rows = [row for row in (_row(line, fields) for line in output.splitlines()) if row]
    problems = _failures(rc, output, bool(rows))
    devices = []
    for row in rows:
        problem = _memory_problem(row)
        if problem is None:
            devices.append(_device(row))
        else:
            problems.append(problem)
    if not rows:
        return Findings(problems=tuple(problems))
    rc, out, err = programs.run("nvidia-smi")
    if rc == TIMED_OUT:
        problems.append(Problem("nvidia_smi_timeout", f"nvidia-smi: {err}, so the CUDA version is unknown", _TIMEOUT_FIX))
    cuda = _CUDA_VERSION.search(out)
    driver = Driver("nvidia", next((_value(row["driver_version"]) for row in rows), None), cuda.group(1) if cuda else None)
    return Findings(tuple(devices), driver, tuple(problems))


def _query(programs):
    """(the fields that were answered, rc, output), asking again without a field that this nvidia-smi doesn't know."""
    fields = _FIELDS
    while True:
        rc, out, err = programs.run("nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits")
        refused = _REFUSED_FIELD.search(out + err)
        if refused is None or refused.group(1) not in _OPTIONAL or refused.group(1) not in fields:
            return fields, rc, out + "\n" + err
        fields = tuple(field for field in fields if field != refused.group(1))


def _row(line, fields):
    """One line of the answer by field, None for a line that is a message. Values aren't quoted, so a comma can only be part of the name."""
    values = [value.strip() for value in line.split(",")]
    surplus = len(values) - len(fields)
    if surplus < 0 or not values[0].isdecimal():
        return None
    name = fields.index("name")
    values[name : name + surplus + 1] = [", ".join(values[name : name + surplus + 1])]
    row = dict(zip(fields, values))
    row.update((field, "[N/A]") for field in _OPTIONAL if field not in row)
    return row


def _value(text):
    """C(text), None where it stands for no value: [N/A], [Not Supported], [Unknown Error], [GPU is lost], ERR! and the like."""
    return None if text.startswith("[") or text in ("", "N/A", "Not Supported", "ERR!") else text


def _is_unified(row):
    """A GPU that shares the RAM has no memory figures of its own; an error in their place is something else."""
    return row["memory.total"].strip("[]") in ("N/A", "Not Supported")


def _memory_problem(row):
    """The problem with a device whose memory can't be told: nothing can be planned with it."""
    figures = (row["memory.total"], row["memory.free"])
    if _is_unified(row) or all(figure.isdecimal() for figure in figures):
        return None
    message = "nvidia-smi: the memory of GPU {} can't be read: {}".format(
        bus_name(row["pci.bus_id"]) or row["index"], ", ".join(sorted({figure for figure in figures if not figure.isdecimal()}))
    )
    if any("lost" in figure for figure in figures):
        return Problem("gpu_lost", message, _LOST_FIX)
    return Problem("gpu_memory_unreadable", message, "Run nvidia-smi as root on the host, and look for 'Xid' in the kernel log.")


def _device(row):
    unified = _is_unified(row)
    capability = _value(row["compute_cap"])
    return Device(
        uuid=_value(row["uuid"]),
        pci_bus_id=bus_name(row["pci.bus_id"]),
        vendor="nvidia",
        name=_value(row["name"]) or "NVIDIA GPU",
        architecture=_architecture(capability),
        compute_capability=capability,
        gfx_target=None,
        memory_total_bytes=None if unified else int(row["memory.total"]) * 1024 * 1024,
        memory_free_bytes=None if unified else int(row["memory.free"]) * 1024 * 1024,
        unified_memory=unified,
        display_attached={"Enabled": True, "Disabled": False}.get(row["display_active"]),
    )


def _architecture(capability):
    match = re.fullmatch(r"(\d+)\.(\d+)", capability or "")
    return None if match is None else _ARCHITECTURES.get((int(match.group(1)), int(match.group(2))))


def _failures(rc, output, answered):
    """What nvidia-smi complained of; it may do so for one GPU and answer for the others, even with code 0."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.strip()[0].isdecimal()]
    if rc == TIMED_OUT:
        return [Problem("nvidia_smi_timeout", "nvidia-smi: " + " ".join(lines), _TIMEOUT_FIX)]
    problems = []
    for code, words, fix in _KNOWN_FAILURES:
        said = [line for line in lines if words.lower() in line.lower()]
        if said and code not in [problem.code for problem in problems]:
            problems.append(Problem(code, "nvidia-smi: " + "; ".join(said)[:400], fix))
    if not problems and (rc != 0 or not answered):
        said = lines[0][:200] if lines else "no output"
        problems.append(Problem("nvidia_smi_failed", f"nvidia-smi ended with code {rc}: {said}", "Run nvidia-smi on the node and mend what it says."))
    return problems
