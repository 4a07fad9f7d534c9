# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node offers to one pod: GPUs that are alike, and how a pod asks for them, by an extended resource or by a claim (DRA)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .intel import RESOURCES as INTEL_RESOURCES
from .slices import DRIVERS

DEVICE_CLASSES = {"nvidia": "gpu.nvidia.com", "amd": "gpu.amd.com", "intel": "gpu.intel.com"}
"""Of the DRA drivers of the vendors, as their own charts make them."""

MIG_CLASS = "mig.nvidia.com"
_IDENTITY = {"nvidia": ("productName", "profile"), "amd": ("productName", "partitionProfile"), "intel": ("pciId", "model")}
"""The attributes by which a claim chooses the product."""


@dataclass(frozen=True)
class Offer:
    """C(devices): of the facts, all alike; empty for a node without GPUs. C(resource): of which pods ask, None with a C(claim).

    C(claim): {device_class_name, selectors}, None with a resource. C(replicas): how many pods share one device.
    """

    vendor: str | None
    devices: tuple[dict, ...]
    resource: str | None
    claim: dict | None
    replicas: int

    @property
    def most_per_pod(self):
        """A process can use one MIG instance (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/), and two shares may be of one GPU."""
        return 1 if self.replicas > 1 or (self.devices and self.devices[0]["mig"]) else len(self.devices)

    @property
    def alike(self):
        """Equal where one server can be planned for either."""
        first = self.devices[0] if self.devices else {}
        keys = ("name", "memory_total_bytes", "compute_capability", "gfx_target", "mig")
        return (self.vendor, len(self.devices), self.resource, json.dumps(self.claim), self.replicas, json.dumps([first.get(key) for key in keys]))


def offers(node, facts, slices, found):
    """The Offers of a NodeObject with its facts. C(slices): {vendor: [Device]} of the node. C(found): gets problems, a Found."""
    groups = {}
    # Labels tell of some of the node's GPUs, and a pod may be given one of the others.
    unsure = any(problem["code"] == "gpu_mixed" for problem in found.problems)
    for device in [] if unsure else facts["devices"]:
        groups.setdefault(_kind(device), []).append({**device, "mig": device["mig"] and {"profile": device["mig"]["profile"]}})
    made = [_offer(node, devices, slices) for devices in groups.values()]
    kept = []
    for each in made:
        if each.resource is None and each.claim is None:
            found.problem("gpu_not_allocatable", f"{each.devices[0]['name']}: the node offers no resource for it to pods", "Run the vendor's device plugin.")
        elif each.claim is None and sum(other.resource == each.resource for other in made) > 1:
            what = " and ".join(other.devices[0]["name"] for other in made if other.resource == each.resource)
            fix = "Use the vendor's DRA driver, or MIG's strategy mixed."
            found.problem("gpu_mixed", f"pods that ask for {each.resource} are given {what}, as it happens", fix)
        else:
            kept.append(each)
    return kept or ([] if groups or unsure else [Offer(None, (), None, None, 1)])


def _kind(device):
    return (device["vendor"], device["name"], device["memory_total_bytes"], device["compute_capability"], (device["mig"] or {}).get("profile"))


def _offer(node, devices, slices):
    vendor = devices[0]["vendor"]
    if vendor in slices:
        return Offer(vendor, tuple(devices), None, _claim(vendor, devices[0], slices[vendor]), 1)
    resource = next((name for name in _resources(vendor, devices[0]) if node.count(name)), None)
    return Offer(vendor, tuple(devices), resource, None, max(node.count(resource) // len(devices), 1) if resource else 1)


def mig_resource(profile):
    """By which pods ask for a MIG instance where the strategy is mixed; the name of a resource takes no plus sign."""
    return f"nvidia.com/mig-{profile.replace('+', '.')}"


def _resources(vendor, device):
    """Names that pods may ask by, the most special first."""
    if vendor == "nvidia":
        mig = [mig_resource(device["mig"]["profile"])] if device["mig"] else []
        return [*mig, "nvidia.com/gpu", "nvidia.com/gpu.shared"]
    return {"amd": ["amd.com/gpu"], "intel": list(INTEL_RESOURCES)}.get(vendor, [])


def _claim(vendor, device, slices):
    domain = DRIVERS[vendor]
    one = _of_slices(device, slices)
    selectors = []
    for name in _IDENTITY[vendor]:
        text = one.text(name) if one else None
        if text:
            selectors.append(f"device.attributes[{json.dumps(domain)}].{name} == {json.dumps(text)}")
    if one and one.memory:
        selectors.append(f'device.capacity[{json.dumps(domain)}].memory.compareTo(quantity("{one.memory}")) >= 0')
    return {"device_class_name": MIG_CLASS if device["mig"] else DEVICE_CLASSES[vendor], "selectors": selectors}


def _of_slices(device, slices):
    """The Device of a slice that a device of the facts was read from. MIG instances have the address of their GPU."""
    if device["uuid"]:
        return next((each for each in slices if each.text("uuid") == device["uuid"]), None)
    address = device["pci_bus_id"]
    return next((each for each in slices if address and each.text("pciBusID", "pciAddr", "pciAddress") == address), None)
