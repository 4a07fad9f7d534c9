# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Intel Arc.

A line: id, the driver's name, GiB on the label, MiB that SYCL reports, GB/s, Xe cores, TOPS of INT8 from Intel's product page; FP16 is half of it.
Memory: Level Zero gives out 95 percent of an A-series card and, with drivers of 2026, nearly all of a B-series one (before, a B580 had 11605 MiB).
llama.cpp's SYCL backend takes what is free for the total where the driver doesn't tell.
"""

from __future__ import annotations

from functools import partial

from .._units import MIB
from .gpu_model import GB, TERA, GpuModel, gib, mib
from .link import pcie
from .unified import unified

SEEN = "llama.cpp's SYCL or Vulkan log in public reports"
ESTIMATE = "estimated: the part of the label that the A770 reports, or the B580"
SOURCE = "Intel's product page"


def _arc(id, name, label, total, gb_s, cores, tops, link=(4, 16), seen=True):
    return GpuModel(
        id=id,
        name=f"Intel(R) Arc(TM) {name} Graphics",
        vendor="intel",
        memory_sizes_bytes=gib(label),
        memory_total_bytes=mib(total),
        memory_free_bytes=(total - 64) * MIB,
        memory_seen=seen,
        memory_bandwidth_bytes_per_second=int(gb_s * GB),
        units=cores,
        matrix_flops=tops * TERA // 2,
        int8_ops=tops * TERA,
        link=pcie(*link),
        compute_capability=None,
        gfx_target=None,
        unified_memory=False,
        source=SOURCE,
        memory_source=SEEN if seen else ESTIMATE,
    )


_SHARED = partial(unified, vendor="intel", source=SOURCE)

INTEL = (
    _arc("intel-arc-a380", "A380", 6, 5723, 186, 8, 65, link=(4, 8)),
    _arc("intel-arc-a580", "A580", 8, 7782, 512, 24, 197, seen=False),
    _arc("intel-arc-a750", "A750", 8, 7782, 512, 28, 229, seen=False),
    _arc("intel-arc-a770", "A770", 16, 15473, 560, 32, 262),
    _arc("intel-arc-b570", "B570", 10, 10180, 380, 18, 203, link=(4, 8), seen=False),
    _arc("intel-arc-b580", "B580", 12, 12216, 456, 20, 233, link=(4, 8)),
    _arc("intel-arc-pro-b50", "Pro B50", 16, 15881, 224, 16, 170, link=(5, 8)),
    _arc("intel-arc-pro-b60", "Pro B60", 24, 24480, 456, 20, 197, link=(5, 8)),
    _arc("intel-arc-pro-b70", "Pro B70", 32, 32656, 608, 32, 367, link=(5, 16)),
    _SHARED("intel-arc-140v", "Intel(R) Arc(TM) 140V GPU", sizes=(16, 32), gb_s=136.5, units=8, tflops=33.5, tops=67),
)
