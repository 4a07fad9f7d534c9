# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Intel GPUs from the labels of Intel's NFD rules and GPU plugin.

https://github.com/intel/intel-device-plugins-for-kubernetes/blob/main/cmd/gpu_plugin/labels.md: gpu.intel.com/product (Arc_Pro_B60),
gpu.intel.com/device-id.CLASS-ID.count, and, of older releases, gpu.intel.com/memory.max, the bytes of all GPUs together.
"""

from __future__ import annotations

import re

from .found import Found
from .known import BY_HAND, add_devices, model_of_label

VENDOR = "intel"
RESOURCES = ("gpu.intel.com/xe", "gpu.intel.com/i915")
MOST_BYTES = 2**50
_COUNT = re.compile(r"gpu\.intel\.com/device-id\.03[0-9a-f]{2}-([0-9a-f]{4})\.count")

NAMES = {
    "56a1": "Arc A750",
    "56a2": "Arc A580",
    "56a5": "Arc A380",
    "e20b": "Arc B580",
    "e20c": "Arc B570",
    "e211": "Arc Pro B60",
    "e212": "Arc Pro B50",
    "e223": "Arc Pro B70",
}
"""Of PCI device ids that stand for one product (https://pci-ids.ucw.cz/read/PC/8086)."""

SEVERAL_SIZES = {"56a0": "Arc A770"}
"""Sold with 8 GiB and with 16: only where the memory is told."""


def read(node, options):
    """Found for a NodeObject."""
    found = Found()
    slots = node.count(*RESOURCES)
    ids = {match[1]: node.number(match[0]) for match in map(_COUNT.fullmatch, sorted(node.labels)) if match and node.number(match[0])}
    product = node.label("gpu.intel.com/product")
    if not slots:
        if ids or product:
            message = f"labels tell of an Intel GPU ({product or ' and '.join(ids)}), but {' and '.join(RESOURCES)} are not among what the node offers to pods"
            found.problem("gpu_not_allocatable", message, "Run Intel's GPU plugin in the cluster, and see that the driver works on the node.")
        return found
    count = node.number("gpu.intel.com/device.count") or sum(ids.values())
    if not count:
        found.problem("gpu_unlabelled", f"pods may be given {slots} Intel GPUs, but no label says what they are", f"Apply Intel's NFD rules. {BY_HAND}")
        return found
    if slots < count:
        found.problem(
            "gpu_unhealthy", f"{count - slots} of {count} Intel GPUs can't be given to pods", "See the events and the log of the GPU plugin on the node."
        )
        count = slots
    if len(ids) > 1:
        message = f"the node has Intel GPUs of several kinds ({', '.join(f'{number} {each}' for each, number in ids.items())}), and pods ask for any"
        found.problem("gpu_mixed", message, BY_HAND)
        return found
    device_id = next(iter(ids), None)
    memory = node.number("gpu.intel.com/memory.max", most=MOST_BYTES)
    each = memory // count if memory else None
    model = _model_of_name(product.replace("_", " "), each) if product else model_of_device_id(device_id, each)
    add_devices(found, node, options, count, product or device_id, model, each, max(slots // count, 1), vendor=VENDOR)
    return found


def model_of_device_id(device_id, memory_total_bytes):
    """The GpuModel of a PCI device id, None where the table has none or nothing tells which of its sizes."""
    name = NAMES.get(device_id) or (SEVERAL_SIZES.get(device_id) if memory_total_bytes else None)
    return _model_of_name(name, memory_total_bytes) if name else None


def _model_of_name(name, memory_total_bytes):
    return model_of_label(VENDOR, f"Intel(R) {name.replace('Arc', 'Arc(TM)')} Graphics", memory_total_bytes)
