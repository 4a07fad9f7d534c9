# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a card on the bus is no usable device. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import pci
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem

_VENDORS = {pci.NVIDIA: "NVIDIA", pci.AMD: "AMD", pci.INTEL: "Intel"}

_TEXTS = {
    # code: (what is so about the card, fix)
    "no_driver": ("no driver is loaded for", "Install the vendor's driver and reboot the node."),
    "driver_not_loaded": (
        "the NVIDIA driver is installed, but its kernel module doesn't drive",
        "Load it with 'modprobe nvidia' and see the kernel log if that fails; after an update of the kernel rebuild the module, with Secure Boot sign it.",
    ),
    "nouveau": (
        "the nouveau driver, which can't run CUDA, holds",
        "Install the NVIDIA driver, blacklist nouveau, rebuild the initramfs and reboot the node.",
    ),
    "nvidia_smi_missing": (
        "nvidia-smi, the source of all figures, is not installed, though the nvidia kernel module drives",
        "Install nvidia-smi of the driver's version; a container gets it from the NVIDIA Container Toolkit with the 'utility' capability.",
    ),
    "other_driver": (
        "the driver {driver}, not its vendor's, holds",
        "Nothing, where the GPU is meant for a virtual machine; else bind it to its vendor's driver.",
    ),
    "unsupported_gpu": ("seen, but not planned with yet:", "Nothing: the node is planned without it."),
}


def unused_cards(cards, devices, nvidia_smi_installed):
    """One problem for each reason why some of C(cards) are not among C(devices)."""
    known = {device.pci_bus_id for device in devices}
    groups = {}
    for card in cards:
        code = None if card.bus_id in known else _reason(card, nvidia_smi_installed)
        if code is not None:
            groups.setdefault((code, card.vendor, card.driver), []).append(f"{card.bus_id} ({card.ids})")
    return tuple(_problem(code, vendor, driver, group) for (code, vendor, driver), group in groups.items())


def _problem(code, vendor, driver, group):
    what, fix = _TEXTS[code]
    noun = "GPU" if len(group) == 1 else "GPUs"
    return Problem(code, "{} the {} {} at PCI {}".format(what.format(driver=driver), _VENDORS[vendor], noun, ", ".join(group)), fix)


def _reason(card, nvidia_smi_installed):
    if card.vendor == pci.INTEL:
        return "unsupported_gpu"
    if card.vendor == pci.AMD:
        return {"amdgpu": "unsupported_gpu", None: "no_driver"}.get(card.driver, "other_driver")
    if card.driver == "nvidia":
        # With nvidia-smi, that one's own complaint says why; without one, the card isn't given to this container.
        return None if nvidia_smi_installed else "nvidia_smi_missing"
    if card.driver is None:
        return "driver_not_loaded" if nvidia_smi_installed else "no_driver"
    return "nouveau" if card.driver == "nouveau" else "other_driver"
