# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node has: from the facts of gpu_facts, or the same written by hand for a machine that isn't here."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from .._options import Option, check_option

BACKEND_OF_VENDOR = {"nvidia": "CUDA", "amd": "ROCm"}
"""How llama.cpp calls the devices of a vendor: CUDA0, ROCm0 and so on."""

NODE_KEYS = ("schema", "devices", "driver", "platform", "host", "problems")
BANDWIDTH = "memory_bandwidth_bytes_per_second"
"""Not a fact that gpu_facts gathers: given by hand, it bounds the speed."""

DEVICE_KEYS = (
    "index", "uuid", "pci_bus_id", "vendor", "name", "architecture", "compute_capability", "gfx_target",
    "memory_total_bytes", "memory_free_bytes", "unified_memory", "display_attached", BANDWIDTH,
)  # fmt: skip
HOST_KEYS = (
    "memory_total_bytes", "memory_available_bytes", "memory_limit_bytes", "cpu", "cores_physical", "cores_logical", "numa_nodes", BANDWIDTH,
)  # fmt: skip
BYTES = Option("int", minimum=0)
REQUIRED = "the facts of prositronic.infra.gpu_facts, or the same written by hand"


@dataclass(frozen=True)
class Gpu:
    """One GPU, by the name that llama.cpp gives its device."""

    device: str
    name: str
    vendor: str
    uuid: str | None
    memory_total_bytes: int
    memory_free_bytes: int
    unified_memory: bool
    compute_capability: str | None
    memory_bandwidth_bytes_per_second: int | None


@dataclass(frozen=True)
class Node:
    """A machine: its GPUs in PCI bus order and its RAM."""

    name: str
    gpus: tuple[Gpu, ...]
    ignored_gpus: tuple[str, ...]
    memory_total_bytes: int
    memory_available_bytes: int
    memory_bandwidth_bytes_per_second: int | None
    cuda_max: str | None


def node_from_plain(facts, name=None):
    """The Node of a dictionary shaped like C(ansible_facts['gpu']).

    Raises InfraError where a figure that the plan needs is missing, not a number or negative.
    """
    if not isinstance(facts, dict):
        raise InfraError("not a description of a node", where="node", got=shown(facts), expected=REQUIRED)
    _refuse_unknown(facts, NODE_KEYS, "node")
    host = facts.get("host")
    if not isinstance(host, dict):
        raise InfraError("the node's 'host' is missing", where="node", expected=REQUIRED)
    _refuse_unknown(host, HOST_KEYS, "node.host")
    devices = facts.get("devices") or []
    if not isinstance(devices, list):
        raise InfraError("not a list", where="node.devices", got=shown(devices), expected="a list of GPUs, empty for none")
    gpus = [_gpu(row, f"node.devices[{index}]") for index, row in enumerate(devices)]
    _refuse_duplicates(gpus)
    vendor = _chosen_vendor(gpus)
    chosen = [gpu for gpu in gpus if gpu["vendor"] == vendor]
    total = _bytes(host, "memory_total_bytes", "node.host")
    driver = facts.get("driver") or {}
    return Node(
        name=name or "node",
        gpus=tuple(Gpu(device=f"{BACKEND_OF_VENDOR[vendor]}{number}", **gpu) for number, gpu in enumerate(chosen)),
        ignored_gpus=tuple(gpu["name"] for gpu in gpus if gpu["vendor"] != vendor),
        memory_total_bytes=total,
        memory_available_bytes=_bytes(host, "memory_available_bytes", "node.host", total),
        memory_bandwidth_bytes_per_second=check_option(host.get(BANDWIDTH), BYTES, f"node.host.{BANDWIDTH}"),
        cuda_max=driver.get("cuda_max") if isinstance(driver, dict) else None,
    )


def _gpu(row, where):
    if not isinstance(row, dict):
        raise InfraError("not a GPU", where=where, got=shown(row), expected="a dictionary with vendor, name and memory_total_bytes")
    _refuse_unknown(row, DEVICE_KEYS, where)
    total = _bytes(row, "memory_total_bytes", where)
    if total == 0:
        raise InfraError("a GPU without memory", where=f"{where}.memory_total_bytes", got="0", expected="the bytes that its driver reports")
    free = _bytes(row, "memory_free_bytes", where, total)
    if free > total:
        raise InfraError("more free memory than there is", where=f"{where}.memory_free_bytes", got=str(free), expected=f"at most {total}")
    vendor = row.get("vendor")
    if not isinstance(vendor, str):
        raise InfraError("the GPU's vendor is missing", where=where, expected=" or ".join(BACKEND_OF_VENDOR))
    return {
        "name": str(row.get("name") or vendor),
        "vendor": vendor,
        "uuid": row.get("uuid"),
        "memory_total_bytes": total,
        "memory_free_bytes": free,
        "unified_memory": bool(row.get("unified_memory")),
        "compute_capability": row.get("compute_capability"),
        BANDWIDTH: check_option(row.get(BANDWIDTH), BYTES, f"{where}.{BANDWIDTH}"),
    }


def _refuse_unknown(row, keys, where):
    for key in row:
        if key not in keys:
            raise InfraError(f"unknown key '{key}'", where=where, expected=REQUIRED, fix=nearest(key, keys))


def _bytes(row, key, where, default=None):
    value = check_option(row.get(key), BYTES, f"{where}.{key}")
    if value is None:
        value = default
    if value is None:
        raise InfraError(f"'{key}' is missing", where=where, expected="a whole number of bytes")
    return value


def _refuse_duplicates(gpus):
    seen = set()
    for gpu in gpus:
        if gpu["uuid"] is not None and gpu["uuid"] in seen:
            raise InfraError("two GPUs have the same uuid", where="node.devices", got=shown(gpu["uuid"]))
        seen.add(gpu["uuid"])


def _chosen_vendor(gpus):
    """One build of llama.cpp drives one vendor's GPUs: the vendor with the most memory."""
    totals = {}
    for gpu in gpus:
        if gpu["vendor"] in BACKEND_OF_VENDOR:
            totals[gpu["vendor"]] = totals.get(gpu["vendor"], 0) + gpu["memory_free_bytes"]
    return max(totals, key=totals.get, default=None)
