# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all rows of NVIDIA have in common.

Memory: nvidia-smi's memory.total since driver 510, with ECC as the card is delivered (on for data-centre cards with GDDR, off for RTX cards);
older drivers report less, for they leave out what the driver reserves. Free memory is that total less the reserve,
which is what nvidia-smi calls reserved, or memory.total less the total that llama.cpp prints (cudaMemGetInfo).

Matrix throughput: multiprocessors x operations per multiprocessor and clock x boost clock. This gives what NVIDIA's architecture papers print
(RTX 4090: 165.2, RTX 5090: 209.5, A100: 312, H100 SXM: 989 TFLOPS); where a datasheet says otherwise, its figure stands in the row.
GeForce RTX accumulates in FP32 at half the rate of FP16.
"""

from __future__ import annotations

from .._units import MIB
from .gpu_model import GB, TERA, GpuModel, gib, mib, rate
from .link import pcie

SMI = "nvidia-smi and llama.cpp's log in public reports; a search for the figure as they print it, such as 23034MiB, finds them"
ESTIMATE = "estimated: the label less what its sisters of the same generation lack"

PAPER = "NVIDIA's paper on the {} architecture"
DATASHEET = "NVIDIA's datasheet of the card"


def driver_reserve(total_mib):
    """MiB that the driver keeps on a GPU from Turing on where no report was found.

    Fitted to 26 reports, from 341 MiB of 6 GiB to 727 of 180 GiB: within 100 MiB of each but an A100, which keeps 769 of 80 GiB.
    """
    return 410 + total_mib // 500


def nvidia(id, name, label, total, gb_s, sms, mhz=0, *, cc, flops=0, int8=0, tflops=None, tops=None, link=(4, 16), reserved=None, seen=True, **more):
    """A row. C(label) in GiB, C(total) and C(reserved) in MiB, C(flops) and C(int8) per multiprocessor and clock."""
    if reserved is None:
        reserved = driver_reserve(total)
    return GpuModel(
        id=id,
        name=name,
        vendor="nvidia",
        memory_sizes_bytes=gib(label),
        memory_total_bytes=mib(total),
        memory_free_bytes=(total - reserved) * MIB,
        memory_seen=seen,
        memory_bandwidth_bytes_per_second=int(gb_s * GB),
        units=sms,
        matrix_flops=rate(sms, flops, mhz) if tflops is None else int(tflops * TERA),
        int8_ops=(rate(sms, int8, mhz) or None) if tops is None else int(tops * TERA),
        link=pcie(*link) if isinstance(link, tuple) else link,
        compute_capability=cc,
        gfx_target=None,
        unified_memory=False,
        memory_source=SMI if seen else ESTIMATE,
        **more,
    )
