# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA GPUs from the ResourceSlices of NVIDIA's DRA driver.

Attributes and capacities: cmd/gpu-kubelet-plugin/deviceinfo.go of https://github.com/kubernetes-sigs/dra-driver-nvidia-gpu. A MIG device without a uuid is
one that could be made; a GPU that is divided is listed beside its instances (https://github.com/kubernetes-sigs/dra-driver-nvidia-gpu/issues/719).
"""

from __future__ import annotations

from .found import Found
from .known import add_devices, model_of_label
from .nvidia import VENDOR, two_numbers
from .slices import refuse_tainted


def read(node, options, devices):
    """Found for a NodeObject and the Devices of its slices."""
    found = Found()
    divided = {device.text("parentUUID") for device in devices if device.text("type") == "mig" and device.text("uuid")}
    for device in devices:
        uuid = device.text("uuid")
        if (device.text("type") or "gpu") not in ("gpu", "mig") or uuid is None or uuid in divided:
            continue
        if not refuse_tainted(found, device, uuid):
            _add(found, node, options, device, uuid)
    return found


def _add(found, node, options, device, uuid):
    profile = device.text("profile") if device.text("type") == "mig" else None
    product = device.text("productName") or device.name
    mig = profile and {"profile": profile, "gpu_instance_id": None, "compute_instance_id": None, "parent_uuid": device.text("parentUUID")}
    add_devices(
        found, node, options, 1, product, model_of_label(VENDOR, product, None if profile else device.memory), device.memory, 1, profile,
        vendor=VENDOR,
        uuid=uuid,
        pci_bus_id=device.text("pciBusID"),
        architecture=device.text("architecture"),
        compute_capability=two_numbers(device.text("cudaComputeCapability")),
        mig=mig,
        numa_node=device.number("numaNode"),
    )  # fmt: skip
    if found.driver is None:
        found.driver = {"vendor": VENDOR, "version": device.text("driverVersion"), "cuda_max": two_numbers(device.text("cudaDriverVersion"))}
