# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node has: from the facts of gpu_facts, the same written by hand, or a description of a machine that isn't here (described_node.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from .._backend.kinds import KINDS, OWN, VENDORS
from .._hardware.gpu_models import model_by_driver, model_by_id
from .._hardware.mig import compute_slices, parent_name, part_of
from .._hardware.working_set import working_set_bytes
from .._memory.devices import MOST_DEVICES
from .._options import Option, check_option
from .described_node import KEYS as DESCRIPTION_KEYS
from .described_node import facts_of_description, is_description

SCHEMA = 2
NODE_KEYS = ("schema", "devices", "driver", "platform", "host", "problems", "name")
BANDWIDTH = "memory_bandwidth_bytes_per_second"
"""Of a GPU not a fact that gpu_facts gathers: from the table of GPUs, or given by hand; it bounds the speed."""

GIVEN_KEYS = ("model", BANDWIDTH, "matrix_flops", "pcie_bytes_per_second")
DEVICE_KEYS = (
    "index", "uuid", "pci_bus_id", "vendor", "name", "usable", "architecture", "compute_capability", "gfx_target", "gpu_cores", "metal_family",
    "memory_total_bytes", "memory_free_bytes", "memory_reserved_bytes", "unified_memory", "display_attached", "mig", "virtual", "persistence_mode", "ecc",
    "pcie_generation", "pcie_width", "numa_node", "render_node", "device_group_ids", *GIVEN_KEYS,
)  # fmt: skip
HOST_KEYS = (
    "memory_total_bytes", "memory_available_bytes", "memory_limit_bytes", "cpu", "cores_physical", "cores_logical", "cores_performance",
    "numa_nodes", "hugepages_total_bytes", "hugepages_free_bytes", "simd", "disks", BANDWIDTH, "cpu_flops",
    "memory_type", "memory_channels", "memory_bandwidth_theoretical_bytes_per_second",
)  # fmt: skip
DRIVER_KEYS = ("vendor", "version", "library_version", "mismatch", "cuda_max", "uvm", "secure_boot", "other_cards")
MIG_KEYS = ("profile", "gpu_instance_id", "compute_instance_id", "parent_uuid")
BYTES = Option("int", minimum=0)
RATE = Option("int", minimum=1)
FLAG = Option("bool")
NAME = Option("line")
REQUIRED = "the facts of prositronic.infra.gpu_facts, the same written by hand, or a description with gpus and ram_bytes"


@dataclass(frozen=True)
class Gpu:
    """One GPU, by the name that llama.cpp gives its device. What isn't known is None.

    C(matrix_flops): dense FP16 operations per second. C(pcie_bytes_per_second): of the bus in one direction, theoretical (_hardware/link.py).
    C(units): multiprocessors or what the vendor has for them. C(model): its id in the table of GPUs.
    """

    device: str
    name: str
    vendor: str
    uuid: str | None
    memory_total_bytes: int
    memory_free_bytes: int
    unified_memory: bool
    compute_capability: str | None
    memory_bandwidth_bytes_per_second: int | None
    matrix_flops: int | None = None
    pcie_bytes_per_second: int | None = None
    gfx_target: str | None = None
    units: int | None = None
    model: str | None = None
    mig_instance: bool = False


@dataclass(frozen=True)
class Node:
    """A machine: its GPUs in PCI bus order and its RAM. C(cpu_flops): operations per second of the processor's cores, None unless given.

    C(machine): its architecture as uname says it, None where not known.
    C(ignored_gpus): the names of those that the backend doesn't drive. C(unusable_gpus): of those that don't work.
    """

    name: str
    gpus: tuple[Gpu, ...]
    ignored_gpus: tuple[str, ...]
    memory_total_bytes: int
    memory_available_bytes: int
    memory_bandwidth_bytes_per_second: int | None
    cuda_max: str | None
    cpu_flops: int | None = None
    machine: str | None = None
    unusable_gpus: tuple[str, ...] = ()


def node_from_plain(facts, name=None, backend=None):
    """The Node of a dictionary shaped like C(ansible_facts['gpu']), or of a description.

    Its GPUs are those that C(backend) drives; None is for the own backend of the vendor with the most memory.

    Raises InfraError where a figure that the plan needs is missing, not a number or negative, and for what no machine has.
    """
    if not isinstance(facts, dict):
        raise InfraError("not a description of a node", where="node", got=shown(facts), expected=REQUIRED)
    if is_description(facts):
        facts = facts_of_description(facts)
    _refuse_unknown(facts, NODE_KEYS, "node", (*NODE_KEYS, *DESCRIPTION_KEYS))
    if facts.get("schema") not in (None, SCHEMA):
        raise InfraError("facts of another version", where="node.schema", got=shown(facts["schema"]), expected=str(SCHEMA), fix="Gather them again")
    host = facts.get("host")
    if host is None:
        raise InfraError("the node's 'host' is missing", where="node", expected=REQUIRED)
    if not isinstance(host, dict):
        raise InfraError("not a host", where="node.host", got=shown(host), expected="a dictionary with memory_total_bytes")
    _refuse_unknown(host, HOST_KEYS, "node.host")
    total, available = _ram(host)
    devices = facts.get("devices") or []
    if not isinstance(devices, list):
        raise InfraError("not a list", where="node.devices", got=shown(devices), expected="a list of GPUs, empty for none")
    if len(devices) > MOST_DEVICES:
        raise InfraError("too many GPUs", where="node.devices", got=len(devices), expected=f"at most {MOST_DEVICES}")
    usable = [_is_usable(row, f"node.devices[{index}]") for index, row in enumerate(devices)]
    gpus = [_gpu(row, f"node.devices[{index}]", total, available) for index, row in enumerate(devices) if usable[index]]
    _refuse_duplicates(gpus)
    chosen = _chosen(gpus, backend)
    return Node(
        name=name or check_option(facts.get("name"), NAME, "node.name") or "node",
        gpus=tuple(Gpu(device=f"{KINDS[backend or OWN[gpu['vendor']]].device}{number}", **gpu) for number, gpu in enumerate(chosen)),
        ignored_gpus=tuple(gpu["name"] for gpu in gpus if not any(gpu is other for other in chosen)),
        unusable_gpus=tuple(str(row.get("name")) for row, is_usable in zip(devices, usable, strict=True) if not is_usable),
        memory_total_bytes=total,
        memory_available_bytes=available,
        memory_bandwidth_bytes_per_second=_ram_bandwidth(host, chosen),
        cuda_max=_cuda_max(facts.get("driver")),
        cpu_flops=check_option(host.get("cpu_flops"), RATE, "node.host.cpu_flops"),
        machine=_machine(facts.get("platform")),
    )


def _machine(platform):
    """The architecture, None where it isn't told."""
    if platform is None:
        return None
    if not isinstance(platform, dict):
        raise InfraError("not a platform", where="node.platform", got=shown(platform), expected="a dictionary with system and machine")
    return check_option(platform.get("machine"), NAME, "node.platform.machine")


def _ram(host):
    """(total, available) bytes."""
    total = _bytes(host, "memory_total_bytes", "node.host")
    if total == 0:
        raise InfraError("a node without RAM", where="node.host.memory_total_bytes", got="0", expected="the bytes of its RAM")
    available = _bytes(host, "memory_available_bytes", "node.host", total)
    if available > total:
        raise InfraError("more available memory than there is", "node.host.memory_available_bytes", str(available), f"at most {total}")
    return total, available


def _ram_bandwidth(host, gpus):
    """As given; else that of the GPU that shares the RAM."""
    given = check_option(host.get(BANDWIDTH), RATE, f"node.host.{BANDWIDTH}")
    if given is None and gpus and gpus[0]["unified_memory"]:
        return gpus[0][BANDWIDTH]
    return given


def _cuda_max(driver):
    """The newest CUDA that the driver runs, such as 13.0, None where it isn't told."""
    if driver is None:
        return None
    if not isinstance(driver, dict):
        raise InfraError("not a driver", where="node.driver", got=shown(driver), expected="a dictionary with version and cuda_max")
    _refuse_unknown(driver, DRIVER_KEYS, "node.driver")
    return version_text(driver.get("cuda_max"), "node.driver.cuda_max")


def version_text(value, where):
    """A version with a dot as text: YAML reads an unquoted 8.9 as a number."""
    if value is None:
        return None
    if isinstance(value, float):
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,3}\.\d{1,3}", value):
        raise InfraError("not a version", where, shown(value), "two numbers with a dot between, such as '12.8'")
    return value


def _is_usable(row, where):
    """Facts have GPUs too that don't work, or whose memory nothing tells."""
    return not isinstance(row, dict) or check_option(row.get("usable"), FLAG, f"{where}.usable") is not False


def _gpu(row, where, ram_total, ram_available):
    """The fields of a Gpu but its device, as a dictionary: what the facts tell, and from the table what they don't."""
    if not isinstance(row, dict):
        raise InfraError("not a GPU", where=where, got=shown(row), expected="a dictionary with vendor, name and memory_total_bytes")
    _refuse_unknown(row, DEVICE_KEYS, where)
    named = None if row.get("model") is None else model_by_id(row["model"], f"{where}.model")
    vendor = _vendor(row, named, where)
    name = check_option(row.get("name"), NAME, f"{where}.name") or (named.name if named else vendor)
    unified = check_option(row.get("unified_memory"), FLAG, f"{where}.unified_memory")
    if unified is None:
        unified = bool(named and named.unified_memory)
    total, free = _memory(row, where, vendor, name, named, (ram_total, ram_available) if unified else None)
    gfx_target = check_option(row.get("gfx_target"), NAME, f"{where}.gfx_target")
    model = _model(row, where, named or model_by_driver(vendor, parent_name(name) if row.get("mig") else name, total, gfx_target), total)

    def known(key, option):
        given = check_option(row.get(key), option, f"{where}.{key}")
        return getattr(model, key) if given is None and model else given

    return {
        "name": name,
        "vendor": vendor,
        "uuid": check_option(row.get("uuid"), NAME, f"{where}.uuid"),
        "memory_total_bytes": total,
        "memory_free_bytes": free,
        "unified_memory": unified,
        "compute_capability": version_text(row.get("compute_capability"), f"{where}.compute_capability") or (model.compute_capability if model else None),
        BANDWIDTH: known(BANDWIDTH, RATE),
        "matrix_flops": known("matrix_flops", RATE),
        "pcie_bytes_per_second": known("pcie_bytes_per_second", RATE),
        "gfx_target": gfx_target or (model.gfx_target if model else None),
        "units": model.units if model else None,
        "model": model.id if model else None,
        "mig_instance": row.get("mig") is not None,
    }


def _model(row, where, model, total):
    """What the table knows of a device; of a MIG instance its part, since the table has the whole card."""
    mig = row.get("mig")
    if mig is None:
        return model
    if not isinstance(mig, dict):
        raise InfraError("not a MIG instance", where=f"{where}.mig", got=shown(mig), expected="a dictionary with profile, or null")
    _refuse_unknown(mig, MIG_KEYS, f"{where}.mig")
    slices = compute_slices(mig.get("profile"), f"{where}.mig.profile")
    return part_of(model, slices, total) if model and model.memory_total_bytes else None


def _vendor(row, named, where):
    vendor = check_option(row.get("vendor"), Option("str", choices=VENDORS), f"{where}.vendor")
    if named is not None:
        if vendor not in (None, named.vendor):
            raise InfraError(f"{named.id} is a GPU of {named.vendor}", where=f"{where}.vendor", got=shown(vendor))
        return named.vendor
    if vendor is None:
        raise InfraError("the GPU's vendor is missing", where=where, expected=" or ".join(VENDORS))
    return vendor


def _memory(row, where, vendor, name, named, ram):
    """(total, free) bytes. C(ram): those of the RAM where the GPU shares it, else None."""
    total_default = ram[0] if ram else named and named.memory_total_bytes
    total = _bytes(row, "memory_total_bytes", where, total_default)
    if total == 0:
        raise InfraError("a GPU without memory", where=f"{where}.memory_total_bytes", got="0", expected="the bytes that its driver reports")
    if named is None and "memory_free_bytes" in row:
        # Facts that know no figure, as those of a node without nvidia-smi.
        named = model_by_driver(vendor, name, total)
    if ram:
        free_default = min(ram[1], working_set_bytes(vendor, total))
    elif named and named.memory_free_bytes is not None and named.memory_total_bytes is not None:
        free_default = max(total - (named.memory_total_bytes - named.memory_free_bytes), 0)
    else:
        free_default = total
    free = _bytes(row, "memory_free_bytes", where, free_default)
    if free > total:
        raise InfraError("more free memory than there is", where=f"{where}.memory_free_bytes", got=str(free), expected=f"at most {total}")
    return total, free


def _refuse_unknown(row, keys, where, suggested=None):
    for key in row:
        if key not in keys:
            raise InfraError(f"unknown key {shown(key)}", where=where, expected=REQUIRED, fix=nearest(key, suggested or keys))


def _bytes(row, key, where, default=None):
    value = check_option(row.get(key), BYTES, f"{where}.{key}")
    if value is None:
        value = default
    if value is None:
        raise InfraError(f"'{key}' is missing", where=where, expected="a whole number of bytes")
    return value


def _refuse_duplicates(gpus):
    seen = {}
    for index, gpu in enumerate(gpus):
        first = seen.setdefault(gpu["uuid"], index)
        if gpu["uuid"] is not None and first != index:
            raise InfraError(
                "two GPUs have the same uuid",
                where=f"node.devices[{index}].uuid",
                got=f"{shown(gpu['uuid'])} as node.devices[{first}] has",
                expected="one of its own for each GPU",
            )


def _chosen(gpus, backend):
    """Those that C(backend) drives. Without one those of the vendor with the most memory: one build of llama.cpp drives one vendor's, but for Vulkan.

    GPUs that share the RAM only where there are no others, as src/llama.cpp (llama_prepare_model_devices) does.
    Of MIG instances one, and nothing beside it: CUDA shows a process no more (NVIDIA's MIG user guide, "CUDA Visible Devices"), Vulkan none.
    """
    if backend is not None:
        gpus = [gpu for gpu in gpus if gpu["vendor"] in KINDS[backend].vendors]
    own = [gpu for gpu in gpus if not gpu["unified_memory"]] or gpus
    if backend == "vulkan":
        return [gpu for gpu in own if not gpu["mig_instance"]]
    totals = {}
    for gpu in own:
        totals[gpu["vendor"]] = totals.get(gpu["vendor"], 0) + gpu["memory_free_bytes"]
    vendor = max(totals, key=totals.get, default=None)
    alike = [gpu for gpu in own if gpu["vendor"] == vendor]
    whole = [gpu for gpu in alike if not gpu["mig_instance"]]
    choices = [whole] * bool(whole) + [[gpu] for gpu in alike if gpu["mig_instance"]]
    return max(choices, key=lambda gpus: sum(gpu["memory_free_bytes"] for gpu in gpus), default=[])
