# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ResourceSlices: which devices the DRA drivers of a node offer (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-slice-v1/).

What the attributes and capacities mean is each driver's own: nvidia_slices.py, amd_slices.py and intel_slices.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .node_object import MOST_GPUS, part
from .quantity import quantity

DRIVERS = {"nvidia": "gpu.nvidia.com", "amd": "gpu.amd.com", "intel": "gpu.intel.com"}
_VALUES = ("string", "int", "bool", "version")


@dataclass(frozen=True)
class Device:
    """One device of a slice. C(attributes): by their short names. C(memory): bytes, None where it isn't told. C(tainted): whether no pod is given it."""

    name: str
    attributes: dict
    memory: int | None
    tainted: bool

    def text(self, *names):
        """The first of the attributes C(names) that says something, None for none."""
        return next((self.attributes[name] for name in names if isinstance(self.attributes.get(name), str) and self.attributes[name]), None)

    def number(self, name):
        """An attribute that is a whole number and not less than 0, else None."""
        value = self.attributes.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def slices_by_node(slices):
    """{node name: {vendor: [Device]}}, of each pool the newest generation."""
    if not isinstance(slices, list):
        raise InfraError(
            "not a list of ResourceSlices", "resource_slices", shown(slices), "resources, as kubernetes.core.k8s_info returns it for kind ResourceSlice"
        )
    vendors = {driver: vendor for vendor, driver in DRIVERS.items()}
    pools = {}
    for index, each in enumerate(slices):
        where = f"resource_slices[{index}]"
        if not isinstance(each, dict) or each.get("kind") not in (None, "ResourceSlice"):
            raise InfraError("not a ResourceSlice", where, shown(each), "a dictionary with spec")
        spec = part(each, "spec", where)
        name, driver = spec.get("nodeName"), spec.get("driver")
        if isinstance(name, str) and name and isinstance(driver, str) and driver in vendors:
            pool = part(spec, "pool", f"{where}.spec")
            generation = pool.get("generation", 0)
            if not isinstance(generation, int):
                raise InfraError("not a whole number", f"{where}.spec.pool.generation", shown(generation))
            pools.setdefault((name, vendors[driver], str(pool.get("name"))), {}).setdefault(generation, []).append((f"{where}.spec", spec))
    found = {}
    for (name, vendor, _pool), generations in pools.items():
        devices = found.setdefault(name, {}).setdefault(vendor, [])
        devices += [device for where, spec in generations[max(generations)] for device in _devices(spec, where)]
        if len(devices) > MOST_GPUS:
            raise InfraError("more devices than any node has", f"resource_slices of {name}", str(len(devices)), f"at most {MOST_GPUS}")
    return found


def refuse_tainted(found, device, identity):
    """Whether no pod is given the device, and the problem of it."""
    if device.tainted:
        found.problem("gpu_unhealthy", f"{device.name} ({identity}) is tainted: no pod is given it", "See the taints of the device in its ResourceSlice.")
    return device.tainted


def _devices(spec, where):
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
        yield Device(str(row.get("name")), attributes, size, tainted)


def _value(value, where):
    """The value of an attribute, which says its kind."""
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _VALUES:
        raise InfraError("not the value of an attribute", where, shown(value), f"one of {', '.join(_VALUES)}")
    ((kind, held),) = value.items()
    if not isinstance(held, {"int": int, "bool": bool}.get(kind, str)):
        raise InfraError(f"not the {kind} that it says", where, shown(held))
    return held
