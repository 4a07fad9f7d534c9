# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all rows of AMD's cards have in common.

Memory: mem_info_vram_total of the amdgpu driver, which rocm-smi and ROCm report too; cards with ECC in GDDR lose a sixteenth to it.
A little is in use on an idle card: 27 to 64 MB on Radeons, 298 MB on MI300X and MI355X, in public reports of rocm-smi.

Matrix throughput: compute units x operations per compute unit and clock x peak engine clock, which gives the FP16 figures of AMD's product pages
(RX 7900 XTX: 122.8, MI300X: 1307 TFLOPS). RDNA 2 and Vega have no matrix units: packed FP16.
"""

from __future__ import annotations

from .._units import MIB
from .gpu_model import GB, GpuModel, gib, mib, rate
from .link import pcie

SEEN = "rocm-smi, sysfs or llama.cpp's log in public reports; a search for the figure in bytes, such as 206141652992, finds them"
ESTIMATE = "estimated: the label less 16 MiB (RDNA 4: 80 MiB) and on PRO cards less a sixteenth for ECC, as its sisters report"
SOURCE = "AMD's product page; gfx target and compute units: https://rocm.docs.amd.com/en/latest/reference/gpu-specs.html"


def amd(id, name, label, total, gb_s, cus, mhz, *, gfx, flops, int8, link=(4, 16), used=64, seen=True, aliases=()):
    """A row. C(label) in GiB, C(total) and C(used) in MiB, C(flops) and C(int8) per compute unit and clock."""
    return GpuModel(
        id=id,
        name=name,
        vendor="amd",
        memory_sizes_bytes=gib(label),
        memory_total_bytes=mib(total),
        memory_free_bytes=(total - used) * MIB,
        memory_seen=seen,
        memory_bandwidth_bytes_per_second=int(gb_s * GB),
        units=cus,
        matrix_flops=rate(cus, flops, mhz),
        int8_ops=rate(cus, int8, mhz),
        link=pcie(*link),
        compute_capability=None,
        gfx_target=gfx,
        unified_memory=False,
        source=SOURCE,
        memory_source=SEEN if seen else ESTIMATE,
        aliases=aliases,
    )
