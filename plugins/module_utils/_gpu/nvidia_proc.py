# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs from what its kernel module shows in /proc. Private: not an interface for other collections.

For those that no program tells of: nvidia-smi isn't there, hangs or fails. The module names them, but knows no figure of their memory.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import nvidia_chips, pci, pci_memory, pci_names
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Problem

_GPUS = "/proc/driver/nvidia/gpus"
_CAPABILITIES = "/proc/driver/nvidia/capabilities"


def read(tree, cards, known, works, in_container):
    """The devices among C(cards) that the module names and that aren't C(known) by their PCI address.

    C(works): whether nothing says that the driver doesn't; without that none of them is usable.
    A container may see the GPUs of its host here: there only those with a device in /dev count.
    """
    devices = []
    for card in cards:
        told = _information(tree, card.bus_id) if card.vendor == pci.NVIDIA and card.bus_id not in known else {}
        minor = told.get("Device Minor", "")
        if told and not (in_container and not tree.exists(f"/dev/nvidia{minor}")):
            devices.append(_device(tree, card, told, works and not _is_excluded(told) and not _divided(tree, minor)))
    return tuple(devices)


def excluded(tree, cards):
    """One problem for each of the C(cards) that the module was told to leave alone."""
    return tuple(_excluded(card) for card in cards if card.vendor == pci.NVIDIA and _is_excluded(_information(tree, card.bus_id)))


def _is_excluded(told):
    return told.get("GPU Excluded") == "Yes"


def _excluded(card):
    message = f"the NVIDIA driver was told to leave alone the GPU at PCI {card.bus_id} ({pci_names.name(card) or card.ids})"
    fix = "Nothing, where that is meant; else take it out of NVreg_ExcludedGpus in /etc/modprobe.d and reboot the node."
    return Problem("gpu_excluded", message, fix)


def _information(tree, bus_id):
    lines = (tree.text(f"{_GPUS}/{bus_id}/information") or "").splitlines()
    return {key.strip(): value.strip() for key, colon, value in (line.partition(":") for line in lines) if colon}


def _divided(tree, minor):
    """Whether it has MIG instances; it can't be used as a whole then."""
    return any(re.fullmatch(r"gi\d+", name) for name in tree.names(f"{_CAPABILITIES}/gpu{minor}/mig"))


def _device(tree, card, told, usable):
    model, uuid = told.get("Model", ""), told.get("GPU UUID", "")
    name = model if model not in ("", "Unknown") else pci_names.name(card) or "NVIDIA GPU " + card.ids
    virtual, unified = nvidia_chips.is_virtual(name), nvidia_chips.card_shares_ram(card.device)
    # A vGPU has the identity of the whole card, but not its memory.
    total = None if virtual or unified else pci_memory.total_bytes(card)
    return Device(
        # The module writes question marks for what it hasn't asked the GPU yet.
        uuid=uuid if uuid and "?" not in uuid else None,
        pci_bus_id=card.bus_id,
        vendor="nvidia",
        name=name,
        memory_total_bytes=total,
        memory_free_bytes=None,
        unified_memory=unified,
        display_attached=pci.display_attached(tree, card.bus_id),
        virtual=virtual,
        usable=usable and (unified or total is not None),
    )
