# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much of one memory a GPU that shares it with the processor may use."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import apple


def working_set_bytes(vendor, memory_total_bytes):
    """The most that the GPU of C(vendor) may take of C(memory_total_bytes), before what is in use is taken off.

    apple: see the function of this name in module_utils/_gpu/apple.py, which is what ggml-metal-device.m (ggml_metal_device_get_memory)
    calls the device's total.
    amd: half, the amdgpu driver's own limit (ttm.pages_limit raises it); llama.cpp's logs show 63967 MiB of 128 GiB.
    intel: half, as Level Zero and Windows give out.
    nvidia: all of it (ggml-cuda.cu takes MemAvailable for what is free of an integrated GPU).
    """
    if vendor == "apple":
        return apple.working_set_bytes(memory_total_bytes)
    if vendor in ("amd", "intel"):
        return memory_total_bytes // 2
    return memory_total_bytes
