# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A machine that isn't here, in a few words: models of GPUs and RAM. It becomes the facts that gpu_facts would gather of it."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from .._hardware.gpu_models import model_by_id
from .._hardware.ram import ram_bandwidth
from .._memory.devices import MOST_DEVICES
from .._options import Option, check_option
from .._units import GIB

GIVEN_KEYS = ("gpus", "ram", "ram_bytes", "ram_bandwidth_bytes_per_second", "cpu_flops", "cuda_max")
"""Any of these makes a dictionary a description."""

SHARED_KEYS = ("name", "driver")
FACTS_KEYS = ("devices", "host")
KEYS = (*GIVEN_KEYS, *SHARED_KEYS)
OVERRIDES = ("memory_total_bytes", "memory_free_bytes", "memory_bandwidth_bytes_per_second", "matrix_flops", "pcie_bytes_per_second")
GPU_KEYS = ("model", "count", *OVERRIDES)
RAM_KEYS = ("bytes", "available_bytes", "type", "channels", "bandwidth_bytes_per_second")
MOST_CHANNELS = 64
POSITIVE = Option("int", minimum=1)
EXPECTED = "{gpus: [{model: nvidia-l4, count: 2}], ram_bytes: 549755813888}"


def is_description(node):
    return any(key in node for key in GIVEN_KEYS)


def facts_of_description(node):
    """Facts in the shape of gpu_facts for C({gpus, ram_bytes or ram, ...}); InfraError for what is wrong in it."""
    mixed = [key for key in FACTS_KEYS if key in node]
    if mixed:
        raise InfraError(f"a description of a node has no '{mixed[0]}': that is a fact of gpu_facts", where="node", expected=f"either facts, or {EXPECTED}")
    _refuse_unknown(node, KEYS, "node")
    if node.get("driver") is not None and node.get("cuda_max") is not None:
        raise InfraError("'driver' and 'cuda_max' say the same", where="node", fix="Give one of them")
    devices = _devices(node.get("gpus"))
    host = _ram(node)
    shared = next((row for row in devices if model_by_id(row["model"], "node").unified_memory), None)
    if shared is not None:
        _share(host, shared)
    if host["memory_total_bytes"] is None:
        raise InfraError("the size of the RAM is missing", where="node", expected=EXPECTED)
    return {
        "name": node.get("name"),
        "devices": devices,
        "host": {**host, "cpu_flops": check_option(node.get("cpu_flops"), POSITIVE, "node.cpu_flops")},
        "driver": node.get("driver") if node.get("cuda_max") is None else {"cuda_max": node["cuda_max"]},
    }


def _devices(gpus):
    """One row for each GPU of the list C(gpus)."""
    if gpus is None:
        return []
    if not isinstance(gpus, list):
        raise InfraError("not a list", "node.gpus", shown(gpus), "a list such as [{model: nvidia-l4, count: 2}]")
    devices = []
    for index, entry in enumerate(gpus):
        devices += _entry(entry, f"node.gpus[{index}]")
    if len(devices) > MOST_DEVICES:
        raise InfraError("too many GPUs", "node.gpus", str(len(devices)), f"at most {MOST_DEVICES}")
    if len(devices) > 1 and any(model_by_id(row["model"], "node").unified_memory for row in devices):
        raise InfraError("a GPU that shares the RAM is described alone", "node.gpus", f"{len(devices)} GPUs")
    return devices


def _entry(entry, where):
    if not isinstance(entry, dict):
        raise InfraError("not a GPU", where, shown(entry), "a dictionary with model and count")
    _refuse_unknown(entry, GPU_KEYS, where)
    if entry.get("model") is None:
        raise InfraError("the GPU's model is missing", where, expected="an id such as nvidia-l4; docs/gpus.md has the table")
    model = model_by_id(entry["model"], f"{where}.model")
    count = check_option(entry.get("count"), POSITIVE, f"{where}.count")
    if count is not None and count > MOST_DEVICES:
        raise InfraError("too many GPUs", f"{where}.count", str(count), f"at most {MOST_DEVICES}")
    row = {"model": model.id, "unified_memory": model.unified_memory, **{key: _override(entry, key, where) for key in OVERRIDES}}
    total = row["memory_total_bytes"] or model.memory_total_bytes
    if total is not None and (row["memory_free_bytes"] or 0) > total:
        raise InfraError("more free memory than there is", f"{where}.memory_free_bytes", str(row["memory_free_bytes"]), f"at most {total}")
    return [dict(row) for _each in range(count or 1)]


def _override(entry, key, where):
    return check_option(entry.get(key), Option("int", minimum=0 if key == "memory_free_bytes" else 1), f"{where}.{key}")


def _ram(node):
    """The facts of the host, its size None where it isn't given."""
    ram = node.get("ram")
    if ram is None:
        ram = {}
    if not isinstance(ram, dict):
        raise InfraError("not a description of RAM", "node.ram", shown(ram), "a dictionary such as {bytes: 549755813888, type: ddr5-4800, channels: 12}")
    _refuse_unknown(ram, RAM_KEYS, "node.ram")
    total = _one_of(check_option(node.get("ram_bytes"), POSITIVE, "node.ram_bytes"), check_option(ram.get("bytes"), POSITIVE, "node.ram.bytes"), "bytes")
    bandwidth = _one_of(
        check_option(node.get("ram_bandwidth_bytes_per_second"), POSITIVE, "node.ram_bandwidth_bytes_per_second"),
        check_option(ram.get("bandwidth_bytes_per_second"), POSITIVE, "node.ram.bandwidth_bytes_per_second"),
        "bandwidth_bytes_per_second",
    )
    available = check_option(ram.get("available_bytes"), Option("int", minimum=0), "node.ram.available_bytes")
    if available is not None and total is not None and available > total:
        raise InfraError("more available memory than there is", "node.ram.available_bytes", str(available), f"at most {total}")
    return {"memory_total_bytes": total, "memory_available_bytes": available, "memory_bandwidth_bytes_per_second": _bandwidth(ram, bandwidth)}


def _one_of(outside, inside, key):
    if outside is not None and inside is not None:
        raise InfraError(f"'ram_{key}' and 'ram.{key}' say the same", where="node", fix="Give one of them")
    return inside if outside is None else outside


def _bandwidth(ram, given):
    """As given, or from the type and the channels."""
    ram_type = check_option(ram.get("type"), Option("str"), "node.ram.type")
    channels = check_option(ram.get("channels"), POSITIVE, "node.ram.channels")
    if (ram_type is None) != (channels is None):
        missing = "channels" if channels is None else "type"
        raise InfraError(f"'{missing}' is missing: the bandwidth comes from the type and the channels together", where="node.ram")
    if ram_type is None:
        return given
    if given is not None:
        raise InfraError("the bandwidth is given twice, as a figure and by type and channels", where="node.ram", fix="Give one of them")
    if channels > MOST_CHANNELS:
        raise InfraError("too many channels", "node.ram.channels", str(channels), f"at most {MOST_CHANNELS}")
    return ram_bandwidth(ram_type, channels, "node.ram.type")


def _share(host, row):
    """One pool: the RAM is the GPU's memory, given here or there, or as the machine is sold."""
    model = model_by_id(row["model"], "node")
    given, ram = row["memory_total_bytes"], host["memory_total_bytes"]
    if given is not None and ram is not None and given != ram:
        raise InfraError(f"the RAM is the memory of {model.id}, and is given with two sizes", where="node", got=f"{ram} and {given}", fix="Give one of them")
    total = given or ram or model.memory_total_bytes
    if total is None and len(model.memory_sizes_bytes) == 1:
        total = model.memory_sizes_bytes[0]
    if total is None:
        sizes = " or ".join(f"{size // GIB} GiB ({size})" for size in model.memory_sizes_bytes)
        raise InfraError(f"the RAM is the memory of {model.id}, and its size is missing", where="node", expected=f"ram_bytes: {sizes}")
    row["memory_total_bytes"] = host["memory_total_bytes"] = total


def _refuse_unknown(row, keys, where):
    for key in row:
        if key not in keys:
            raise InfraError(f"unknown key {shown(key)}", where=where, expected=EXPECTED if where == "node" else None, fix=nearest(key, keys))
