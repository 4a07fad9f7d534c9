# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much of one memory a GPU that shares it with the processor may use."""

from __future__ import annotations

from .._units import GIB


def working_set_bytes(vendor, memory_total_bytes):
    """The most that the GPU of C(vendor) may take of C(memory_total_bytes), before what is in use is taken off.

    apple: recommendedMaxWorkingSetSize, which is what ggml-metal-device.m (ggml_metal_device_get_memory) calls the device's total.
    macOS gave two thirds up to 36 GiB and three quarters above for years (8 GiB: 5461 MiB, 16: 10922, 64: 49152 in llama.cpp's logs);
    newer releases give more (16: 12124, 24: 18186, 64: 53084), and iogpu.wired_limit_mb raises it. The smaller rule is the safe one.
    amd: half, the amdgpu driver's own limit (ttm.pages_limit raises it); llama.cpp's logs show 63967 MiB of 128 GiB.
    intel: half, as Level Zero and Windows give out.
    nvidia: all of it (ggml-cuda.cu takes MemAvailable for what is free of an integrated GPU).
    """
    if vendor == "apple":
        return memory_total_bytes * 2 // 3 if memory_total_bytes <= 36 * GIB else memory_total_bytes * 3 // 4
    if vendor in ("amd", "intel"):
        return memory_total_bytes // 2
    return memory_total_bytes
