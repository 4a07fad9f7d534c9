# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The GPU in NVIDIA's systems on a chip, where no nvidia-smi tells of it. Private: not an interface for other collections.

JetPack has an nvidia-smi since release 6; before, and in many containers, there is the device tree alone.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import nvidia_chips, system
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Findings

_CHIPS = {
    # the device tree's name: (the name as nvidia-smi or CUDA gives it, compute capability)
    "tegra210": ("NVIDIA Tegra X1", "5.3"),
    "tegra186": ("NVIDIA Tegra X2", "6.2"),
    "tegra194": ("Xavier", "7.2"),
    "tegra234": ("Orin (nvgpu)", "8.7"),
    "tegra264": ("NVIDIA Thor", "11.0"),
}


def read(tree):
    """The device of a Jetson."""
    for chip in system.tegra_chips(tree):
        if chip in _CHIPS:
            name, capability = _CHIPS[chip]
            architecture = nvidia_chips.architecture(capability)
            device = Device(None, None, "nvidia", name, None, None, True, architecture=architecture, compute_capability=capability)
            return Findings((device,))
    return Findings()
