# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The driver beneath the devices. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import nvidia_failures, pci
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem

_MODULE = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)?)")
LIBRARY_DIRECTORIES = (
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/run/opengl-driver/lib",
)  # fmt: skip
_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def module_version(tree):
    """The version of NVIDIA's kernel module that is loaded, None where none is."""
    told = _MODULE.search(tree.text("/proc/driver/nvidia/version") or "")
    return told.group(1) if told else tree.text("/sys/module/nvidia/version") or None


def read(tree, platform, cards, nvidia, others):
    """The facts under C(driver). C(nvidia): the findings of nvidia-smi; C(others): vendor -> those of the other readers."""
    module = module_version(tree)
    version = module or nvidia.driver_version
    library = nvidia.library_version or _library_version(tree)
    has_nvidia = bool(version or nvidia.devices or nvidia.divided)
    devices = () if has_nvidia else [device for findings in others.values() for device in findings.devices]
    vendor = "nvidia" if has_nvidia else next((device.vendor for device in devices), None)
    return {
        "vendor": vendor,
        "version": version or (others[vendor].driver_version if vendor in others else None),
        "library_version": library,
        "mismatch": _mismatch(nvidia, module, library),
        "cuda_max": nvidia.cuda_max,
        # Under WSL and on a Jetson CUDA has other ways to the GPU.
        "uvm": tree.exists("/dev/nvidia-uvm") if has_nvidia and not platform["wsl"] and not platform["jetson"] else None,
        "secure_boot": _secure_boot(tree),
        "other_cards": [
            {"pci_bus_id": card.bus_id, "vendor": pci.VENDORS[card.vendor], "ids": card.ids, "driver": card.driver}
            for card in cards
            if card.driver not in pci.DRIVERS[card.vendor]
        ],
    }


def problems(facts, nvidia):
    """What stands between a working kernel module and CUDA."""
    found = []
    if facts["mismatch"] and not nvidia.problems:
        message = f"the kernel module of the NVIDIA driver is {facts['version']}, its library {facts['library_version']}"
        found.append(Problem("driver_library_mismatch", message, nvidia_failures.MISMATCH_FIX))
    if facts["uvm"] is False and (nvidia.devices or nvidia.divided):
        message = "there is no /dev/nvidia-uvm, without which CUDA finds no GPU"
        fix = "Run 'nvidia-modprobe -u -c0', and have nvidia-persistenced or a unit do so at every start; a container needs the device given."
        found.append(Problem("uvm_missing", message, fix))
    return tuple(found)


def _mismatch(nvidia, module, library):
    """Where NVML answered, its library fits, whatever else lies about."""
    if nvidia.devices or nvidia.divided:
        return False
    if any(problem.code == "driver_library_mismatch" for problem in nvidia.problems):
        return True
    # The complaint of a mismatch leaves the last number of the library's version out.
    return None if module is None or library is None else not (module + ".").startswith(library + ".")


def _library_version(tree):
    """From what the links of the installed libraries point to."""
    for directory in LIBRARY_DIRECTORIES:
        for library in _LIBRARIES:
            version = (tree.link(f"{directory}/{library}") or "").rpartition(".so.")[2]
            if re.fullmatch(r"\d+(\.\d+)+", version):
                return version
    return None


def _secure_boot(tree):
    """The last byte of the variable of the firmware; what is before it are its attributes."""
    data = tree.data(_SECURE_BOOT)
    return data[-1] == 1 if data else None
