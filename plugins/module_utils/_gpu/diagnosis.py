# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a card on the bus is no usable device. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import pci, pci_names
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
        "neither nvidia-smi nor its library libnvidia-ml.so.1, the sources of all figures, is installed, though the nvidia kernel module drives",
        "Install nvidia-smi of the driver's version; a container gets it from the NVIDIA Container Toolkit with the 'utility' capability.",
    ),
    "gpu_not_listed": (
        "nvidia-smi doesn't list, though the nvidia kernel module drives",
        "Look for 'Xid' or 'RmInitAdapter failed' in the kernel log, then reset the GPU or power-cycle the node.",
    ),
    "other_driver": (
        "the driver {driver}, not its vendor's, holds",
        "Nothing, where the GPU is meant for a virtual machine; else bind it to its vendor's driver.",
    ),
    "unsupported_gpu": ("seen, but not planned with yet:", "Nothing: the node is planned without it."),
}


def unused_cards(cards, known, problems, nvidia_smi_installed, listing):
    """One problem for each reason why some of C(cards) are neither C(known) by their PCI address nor in one of the C(problems).

    C(listing): whether nvidia-smi answered, and knows of every card that there is.
    """
    told = " ".join(problem.message for problem in problems).lower()
    groups = {}
    for card in cards:
        code = None if card.bus_id in known or card.bus_id in told else _reason(card, nvidia_smi_installed, listing)
        if code is not None:
            name = pci_names.name(card)
            groups.setdefault((code, card.vendor, card.driver), []).append(f"{card.bus_id} ({name + ', ' if name else ''}{card.ids})")
    return tuple(_problem(code, vendor, driver, group) for (code, vendor, driver), group in groups.items())


def unreadable(paths):
    """One problem for what only root may read."""
    if not paths:
        return ()
    message = f"without root these can't be read: {', '.join(sorted(set(paths)))}"
    return (Problem("needs_root", message, "Gather with 'become: true' where the facts that are missing matter."),)


def _problem(code, vendor, driver, group):
    what, fix = _TEXTS[code]
    noun = "GPU" if len(group) == 1 else "GPUs"
    return Problem(code, "{} the {} {} at PCI {}".format(what.format(driver=driver), _VENDORS[vendor], noun, ", ".join(group)), fix)


def _reason(card, nvidia_smi_installed, listing):
    if card.vendor != pci.NVIDIA:
        if card.driver is None:
            return "no_driver" if card.vendor == pci.AMD else "unsupported_gpu"
        return "unsupported_gpu" if card.driver in pci.DRIVERS[card.vendor] else "other_driver"
    if card.driver == "nvidia":
        if listing:
            return "gpu_not_listed"
        # With nvidia-smi, that one's own complaint says why.
        return None if nvidia_smi_installed else "nvidia_smi_missing"
    if card.driver is None:
        return "driver_not_loaded" if nvidia_smi_installed else "no_driver"
    return "nouveau" if card.driver == "nouveau" else "other_driver"
