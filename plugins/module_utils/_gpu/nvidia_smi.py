# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs from nvidia-smi. Private: not an interface for other collections.

Its answers in CSV hold all but two things: the newest CUDA version, which its banner tells, and MIG instances (mig.py).
NVML behind it would tell no more, and where the driver hangs a process that has loaded it can't be ended.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import mig, nvidia_chips, nvidia_failures
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Findings, Problem, bus_name
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import TIMED_OUT

_FIELDS = (
    "index", "uuid", "pci.bus_id", "name", "memory.total", "memory.free", "driver_version", "compute_cap", "display_active",
    "persistence_mode", "ecc.mode.current", "mig.mode.current", "pcie.link.gen.max", "pcie.link.width.max", "memory.reserved",
)  # fmt: skip
# Fields that a driver may be too old to know.
_OPTIONAL = _FIELDS[7:]

# Drivers from 610 on write "CUDA UMD Version" and keep the old name for a note without a number.
_CUDA_VERSION = re.compile(r"CUDA(?: UMD)? Version\s*:\s*(\d+\.\d+)")
_REFUSED_FIELD = re.compile(r'Field "([^"]+)" is not a valid field to query')


def start(programs):
    """Begin what read() asks for on a node where nothing is wrong."""
    programs.start(*_query(_FIELDS))
    programs.start("nvidia-smi")


def read(programs):
    """The devices and the driver that nvidia-smi tells of."""
    if not programs.has("nvidia-smi"):
        return Findings()
    fields, rc, output = _answer(programs)
    rows = [row for row in (_row(line, fields) for line in output.splitlines()) if row]
    problems = nvidia_failures.failures(rc, output, bool(rows))
    if not rows:
        return Findings(library_version=nvidia_failures.library_version(output), problems=tuple(problems))
    devices, parents = [], {}
    for row in rows:
        problem = None
        if row["mig.mode.current"] == "Enabled":
            # Its memory is divided; to tell the whole of it may be forbidden, and is of no use.
            parents[row["uuid"]] = _device(dict(row, **{"memory.total": "0", "memory.free": "0"}))
        else:
            problem = _memory_problem(row)
            devices += [] if problem else [_device(row)]
        problems += [problem] if problem else []
    if parents:
        instances, mig_problems = mig.read(programs, parents)
        devices += instances
        problems += mig_problems
    rc, out, err = programs.run("nvidia-smi")
    if rc == TIMED_OUT:
        problems.append(Problem("nvidia_smi_timeout", f"nvidia-smi: {err}, so the CUDA version is unknown", nvidia_failures.TIMEOUT_FIX))
    cuda = _CUDA_VERSION.search(out)
    version = next((_value(row["driver_version"]) for row in rows if _value(row["driver_version"])), None)
    return Findings(tuple(devices), version, cuda.group(1) if cuda else None, problems=tuple(problems), divided=tuple(parents.values()))


def _query(fields):
    return "nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits"


def _answer(programs):
    """(the fields that were answered, rc, output), asking again without a field that this nvidia-smi doesn't know."""
    fields = _FIELDS
    while True:
        rc, out, err = programs.run(*_query(fields))
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


def _number(text):
    return int(text) if text.isdecimal() else None


def _flag(text):
    return {"Enabled": True, "Disabled": False}.get(text)


def _is_unified(row):
    """A GPU that shares the RAM has no memory figures of its own; an error in their place is something else."""
    return row["memory.total"].strip("[]") in ("N/A", "Not Supported") or nvidia_chips.shares_ram(row["compute_cap"])


def _memory_problem(row):
    """The problem with a device whose memory can't be told: nothing can be planned with it."""
    figures = (row["memory.total"], row["memory.free"])
    if _is_unified(row) or all(figure.isdecimal() for figure in figures):
        return None
    message = "nvidia-smi: the memory of GPU {} can't be read: {}".format(
        bus_name(row["pci.bus_id"]) or row["index"], ", ".join(sorted({figure for figure in figures if not figure.isdecimal()}))
    )
    if any("lost" in figure for figure in figures):
        return Problem("gpu_lost", message, nvidia_failures.LOST_FIX)
    if any("requires reset" in figure for figure in figures):
        return Problem("gpu_needs_reset", message, nvidia_failures.RESET_FIX)
    return Problem("gpu_memory_unreadable", message, nvidia_failures.UNREADABLE_FIX)


def _device(row):
    unified = _is_unified(row)
    capability = _value(row["compute_cap"])
    name = _value(row["name"]) or "NVIDIA GPU"
    return Device(
        uuid=_value(row["uuid"]),
        pci_bus_id=bus_name(row["pci.bus_id"]),
        vendor="nvidia",
        name=name,
        architecture=nvidia_chips.architecture(capability),
        compute_capability=capability,
        memory_total_bytes=None if unified else int(row["memory.total"]) * 1024 * 1024,
        memory_free_bytes=None if unified else int(row["memory.free"]) * 1024 * 1024,
        memory_reserved_bytes=int(row["memory.reserved"]) * 1024 * 1024 if row["memory.reserved"].isdecimal() and not unified else None,
        unified_memory=unified,
        display_attached=_flag(row["display_active"]),
        virtual=nvidia_chips.is_virtual(name),
        persistence_mode=_flag(row["persistence_mode"]),
        ecc=_flag(row["ecc.mode.current"]),
        pcie_generation=_number(row["pcie.link.gen.max"]),
        pcie_width=_number(row["pcie.link.width.max"]),
    )
