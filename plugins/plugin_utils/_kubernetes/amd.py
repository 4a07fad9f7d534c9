# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AMD GPUs from the labels of AMD's node labeller.

https://github.com/ROCm/k8s-device-plugin/blob/master/cmd/k8s-node-labeller/README.md and main.go beside it. Labels are amd.com/gpu.NAME=VALUE; older
ones are beta.amd.com/gpu.NAME.VALUE=COUNT. gpu.vram is rounded to GiB, so the memory is the table's, and has to agree with it.
"""

from __future__ import annotations

import re

from .._units import GIB
from .found import Found
from .known import BY_HAND, add_devices, model_of_label

VENDOR = "amd"
GPU = "amd.com/gpu"
PREFIXES = ("amd.com/gpu", "beta.amd.com/gpu")
_BY_VALUE = re.compile(r"beta\.amd\.com/gpu\.device-id\.([0-9a-fA-F]{4})")
_VRAM = re.compile(r"(\d{1,5})G", re.ASCII)
_BOARD = re.compile(r"[ _-](?:OAM|VF|HF)$", re.IGNORECASE)

NAMES = {
    "738c": "AMD Instinct MI100",
    "740f": "AMD Instinct MI210",
    "74a0": "AMD Instinct MI300A",
    "74a1": "AMD Instinct MI300X",
    "74a5": "AMD Instinct MI325X",
    "74b5": "AMD Instinct MI300X",
    "75a0": "AMD Instinct MI350X",
    "75a3": "AMD Instinct MI355X",
}
"""Of PCI device ids that stand for one product (cmd/k8s-node-labeller/amdgpu.ids, https://pci-ids.ucw.cz/read/PC/1002); 74b5 is MI300X in a virtual machine."""


def read(node, options):
    """Found for a NodeObject."""
    found = Found()
    product, device_id = (node.label(*(f"{prefix}.{name}" for prefix in PREFIXES)) for name in ("product-name", "device-id"))
    by_value = {match[1].lower(): node.number(match[0]) for match in map(_BY_VALUE.fullmatch, sorted(node.labels)) if match and node.number(match[0])}
    version = node.label(*(f"{prefix}.driver-version" for prefix in PREFIXES))
    if version is not None:
        found.driver = {"vendor": VENDOR, "version": version, "cuda_max": None}
    usable = node.count(GPU)
    if not usable:
        if product or device_id or by_value:
            message = f"labels tell of {product or device_id or ' and '.join(by_value)}, but none can be given to a pod: {GPU} is 0"
            found.problem("gpu_not_allocatable", message, "See why the device plugin or the driver on the node doesn't work.")
        return found
    partition = node.label(*(f"{prefix}.compute-memory-partition" for prefix in PREFIXES))
    if partition is not None and not partition.upper().startswith("SPX"):
        message = f"{usable} GPUs are parts of larger ones ({partition}), whose memory the labels don't tell"
        found.problem("gpu_partitioned", message, f"Set the partition mode SPX. {BY_HAND}")
        return found
    if len(by_value) > 1:
        _mixed(node, options, found, by_value, usable)
        return found
    device_id = device_id or next(iter(by_value), None)
    _add(node, options, found, usable, name_of(product, device_id), product or device_id, _vram(node))
    return found


def name_of(product, device_id):
    """The name in the table of GPUs by what a label or an attribute says, None where neither tells."""
    return _BOARD.sub("", product).replace("_", " ") if product else NAMES.get(device_id)


def refuse_memory(found, count, told, model, memory):
    """Whether C(memory), bytes or None, isn't that of the whole C(model), and the problem of it."""
    if model is None or memory is None or model.memory_total_bytes is None or abs(model.memory_total_bytes - memory) <= 2 * GIB:
        return False
    message = f"{count} GPUs {told}: it is told of {memory // GIB} GiB, a whole {model.name} has {model.memory_total_bytes // GIB}"
    found.problem("gpu_memory_unclear", message, f"A GPU may be divided. {BY_HAND}")
    return True


def _mixed(node, options, found, by_value, usable):
    """Several products: counted by device id."""
    if sum(by_value.values()) != usable:
        message = f"{usable} GPUs can be given to pods, and the labels tell of {sum(by_value.values())} of several kinds"
        found.problem("gpu_unhealthy", message, "See the events and the log of the device plugin on the node.")
        return
    for device_id, count in by_value.items():
        _add(node, options, found, count, NAMES.get(device_id), device_id, None)


def _add(node, options, found, count, name, told, vram_gib):
    if told is None:
        found.problem("gpu_unlabelled", f"pods may be given {count} of {GPU}, but no label says what they are", f"Run AMD's node labeller. {BY_HAND}")
        return
    model = model_of_label(VENDOR, name, vram_gib and vram_gib * GIB) if name else None
    if refuse_memory(found, count, told, model, None if vram_gib is None else vram_gib * GIB):
        return
    add_devices(found, node, options, count, told, model, None, vendor=VENDOR)


def _vram(node):
    """GiB, None where it isn't told."""
    text = node.label(*(f"{prefix}.vram" for prefix in PREFIXES))
    match = _VRAM.fullmatch(text or "")
    return int(match[1]) if match else None
