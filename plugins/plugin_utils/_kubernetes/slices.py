# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA GPUs from the ResourceSlices of its DRA driver: each device by itself, with its uuid.

Attributes and capacities: cmd/gpu-kubelet-plugin/deviceinfo.go of https://github.com/kubernetes-sigs/dra-driver-nvidia-gpu; the object:
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-slice-v1/. A MIG device without a uuid is one that could be made;
a GPU that is divided is listed beside its instances (https://github.com/kubernetes-sigs/dra-driver-nvidia-gpu/issues/719).
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .found import Found
from .known import add_devices, model_of_label
from .node_object import MOST_GPUS, part
from .nvidia import VENDOR, two_numbers
from .quantity import quantity

DRIVER = "gpu.nvidia.com"
OTHER_GPU_DRIVERS = ("gpu.amd.com", "gpu.intel.com")
_VALUES = ("string", "int", "bool", "version")


def slices_by_node(slices):
    """{node name: [(path, slice's spec)]} of those of NVIDIA's driver, the newest generation of each pool; and {node name: other GPU drivers}."""
    if not isinstance(slices, list):
        raise InfraError(
            "not a list of ResourceSlices", "resource_slices", shown(slices), "resources, as kubernetes.core.k8s_info returns it for kind ResourceSlice"
        )
    pools, others = {}, {}
    for index, each in enumerate(slices):
        where = f"resource_slices[{index}]"
        if not isinstance(each, dict) or each.get("kind") not in (None, "ResourceSlice"):
            raise InfraError("not a ResourceSlice", where, shown(each), "a dictionary with spec")
        spec = part(each, "spec", where)
        name, driver = spec.get("nodeName"), spec.get("driver")
        if not isinstance(name, str) or not name:
            continue
        if driver in OTHER_GPU_DRIVERS:
            others.setdefault(name, set()).add(driver)
        if driver == DRIVER:
            pool = part(spec, "pool", f"{where}.spec")
            generation = pool.get("generation", 0)
            if not isinstance(generation, int):
                raise InfraError("not a whole number", f"{where}.spec.pool.generation", shown(generation))
            pools.setdefault((name, str(pool.get("name"))), {}).setdefault(generation, []).append((f"{where}.spec", spec))
    found = {}
    for (name, _pool), generations in pools.items():
        found.setdefault(name, []).extend(generations[max(generations)])
    return found, others


def read(node, options, slices):
    """Found for a NodeObject and what slices_by_node() has for it."""
    found = Found()
    devices = [made for where, spec in slices for made in _devices(spec, where)]
    if len(devices) > MOST_GPUS:
        raise InfraError("more devices than any node has", node.where, str(len(devices)), f"at most {MOST_GPUS}")
    divided = {attributes.get("parentUUID") for attributes, _capacity, _name, _tainted in devices if attributes.get("type") == "mig" and attributes.get("uuid")}
    for attributes, memory, name, tainted in devices:
        kind = attributes.get("type", "gpu")
        if kind not in ("gpu", "mig") or not attributes.get("uuid") or attributes["uuid"] in divided:
            continue
        if tainted:
            found.problem(
                "gpu_unhealthy", f"{name} ({attributes['uuid']}) is tainted: no pod is given it", "See the taints of the device in its ResourceSlice."
            )
            continue
        _add(found, node, options, attributes, memory, name)
    return found


def _add(found, node, options, attributes, memory, name):
    profile = attributes.get("profile") if attributes.get("type") == "mig" else None
    product = attributes.get("productName") or name
    uuid = attributes["uuid"]
    mig = profile and {"profile": profile, "gpu_instance_id": None, "compute_instance_id": None, "parent_uuid": attributes.get("parentUUID")}
    add_devices(
        found, node, options, 1, product, model_of_label(VENDOR, product, None if profile else memory), memory, 1, profile,
        vendor=VENDOR,
        uuid=uuid,
        pci_bus_id=attributes.get("pciBusID"),
        architecture=attributes.get("architecture"),
        compute_capability=two_numbers(attributes.get("cudaComputeCapability")),
        mig=mig,
        numa_node=attributes.get("numaNode"),
    )  # fmt: skip
    if found.driver is None:
        found.driver = {"vendor": VENDOR, "version": attributes.get("driverVersion"), "cuda_max": two_numbers(attributes.get("cudaDriverVersion"))}


def _devices(spec, where):
    """(attributes by their short name, bytes of memory or None, name, whether no pod is given it) of each device."""
    devices = spec.get("devices") or []
    if not isinstance(devices, list):
        raise InfraError("not a list", f"{where}.devices", shown(devices))
    for index, row in enumerate(devices):
        at = f"{where}.devices[{index}]"
        if not isinstance(row, dict):
            raise InfraError("not a device", at, shown(row))
        inner = part(row, "basic", at) or row
        attributes = {key.rpartition("/")[2]: _value(value, f"{at}.attributes['{key}']") for key, value in part(inner, "attributes", at).items()}
        capacity = {key.rpartition("/")[2]: value for key, value in part(inner, "capacity", at).items()}
        memory = capacity.get("memory")
        size = quantity(memory.get("value") if isinstance(memory, dict) else memory, f"{at}.capacity.memory") if memory is not None else None
        taints = inner.get("taints") or []
        tainted = isinstance(taints, list) and any(isinstance(taint, dict) and taint.get("effect") in ("NoSchedule", "NoExecute") for taint in taints)
        yield attributes, size, str(row.get("name")), tainted


def _value(value, where):
    """The value of an attribute, which says its kind."""
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _VALUES:
        raise InfraError("not the value of an attribute", where, shown(value), f"one of {', '.join(_VALUES)}")
    ((kind, held),) = value.items()
    if not isinstance(held, {"int": int, "bool": bool}.get(kind, str)):
        raise InfraError(f"not the {kind} that it says", where, shown(held))
    return held
