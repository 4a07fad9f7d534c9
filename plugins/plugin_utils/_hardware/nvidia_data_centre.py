# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's data-centre cards, and the superchips.

A line: id, the driver's name, GiB on the label, MiB that nvidia-smi reports, GB/s, multiprocessors, then the dense FP16 and INT8 throughput
in tera-operations per second from the datasheet. One line is one GPU: an A16 has four.
"""

from __future__ import annotations

from functools import partial

from .link import C2C
from .nvidia import DATASHEET, nvidia

_MAXWELL = partial(nvidia, cc="5.2", link=(3, 16), source=DATASHEET)
_PASCAL = partial(nvidia, cc="6.1", link=(3, 16), source=DATASHEET)
_P100 = partial(nvidia, cc="6.0", link=(3, 16), source=DATASHEET)
_VOLTA = partial(nvidia, cc="7.0", link=(3, 16), reserved=274, source=DATASHEET)
_AMPERE = partial(nvidia, cc="8.6", source=DATASHEET)
_A100 = partial(nvidia, cc="8.0", source=DATASHEET)
_ADA = partial(nvidia, cc="8.9", source=DATASHEET)
_HOPPER = partial(nvidia, cc="9.0", link=(5, 16), source=DATASHEET)
_BLACKWELL = partial(nvidia, cc="10.0", link=(5, 16), source="NVIDIA's datasheets of DGX B200 and GB200 NVL72, per GPU")
_ULTRA = partial(nvidia, cc="10.3", source="NVIDIA's datasheets of HGX B300 and GB300 NVL72, per GPU; FP16 estimated as half of dense FP8")

DATA_CENTRE = (
    _MAXWELL("nvidia-m40-12gb", "Tesla M40", 12, 11448, 288, 24, tflops=6.8, reserved=90, seen=False),
    _MAXWELL("nvidia-m40", "Tesla M40 24GB", 24, 22939, 288, 24, tflops=6.8, reserved=90),
    _PASCAL("nvidia-p4", "Tesla P4", 8, 7680, 192, 20, tflops=5.5, tops=22, reserved=90),
    _PASCAL("nvidia-p40", "Tesla P40", 24, 23040, 346, 30, tflops=11.8, tops=47, reserved=121),
    _P100("nvidia-p100-12gb", "Tesla P100-PCIE-12GB", 12, 12288, 549, 56, tflops=18.7, reserved=100, seen=False),
    _P100("nvidia-p100", "Tesla P100-PCIE-16GB", 16, 16384, 732, 56, tflops=18.7, reserved=104),
    _P100("nvidia-p100-sxm2", "Tesla P100-SXM2-16GB", 16, 16384, 732, 56, tflops=21.2, reserved=104, seen=False),
    _VOLTA("nvidia-v100-pcie-16gb", "Tesla V100-PCIE-16GB", 16, 16384, 900, 80, tflops=112, tops=56, reserved=224),
    _VOLTA("nvidia-v100-sxm2-16gb", "Tesla V100-SXM2-16GB", 16, 16384, 900, 80, tflops=125, tops=62, reserved=224),
    _VOLTA("nvidia-v100-pcie-32gb", "Tesla V100-PCIE-32GB", 32, 32768, 900, 80, tflops=112, tops=56),
    _VOLTA("nvidia-v100-sxm2-32gb", "Tesla V100-SXM2-32GB", 32, 32768, 900, 80, tflops=125, tops=62, aliases=("Tesla V100-SXM3-32GB",)),
    _VOLTA("nvidia-v100s", "Tesla V100S-PCIE-32GB", 32, 32768, 1134, 80, tflops=130, tops=65, seen=False),
    nvidia("nvidia-t4", "Tesla T4", 16, 15360, 320, 40, cc="7.5", tflops=65, tops=130, link=(3, 16), reserved=448, source=DATASHEET),
    _AMPERE("nvidia-a2", "NVIDIA A2", 16, 15356, 200, 10, tflops=18, tops=36, link=(4, 8)),
    _AMPERE("nvidia-a10", "NVIDIA A10", 24, 23028, 600, 72, tflops=125, tops=250),
    _AMPERE("nvidia-a10g", "NVIDIA A10G", 24, 23028, 600, 72, tflops=70, tops=140),
    _AMPERE("nvidia-a16", "NVIDIA A16", 16, 15356, 200, 10, tflops=17.9, tops=35.9),
    _A100("nvidia-a30", "NVIDIA A30", 24, 24576, 933, 56, tflops=165, tops=330),
    _AMPERE("nvidia-a40", "NVIDIA A40", 48, 46068, 696, 84, tflops=149.7, tops=299.3),
    _A100("nvidia-a100-pcie-40gb", "NVIDIA A100-PCIE-40GB", 40, 40960, 1555, 108, tflops=312, tops=624),
    _A100("nvidia-a100-sxm4-40gb", "NVIDIA A100-SXM4-40GB", 40, 40960, 1555, 108, tflops=312, tops=624),
    _A100("nvidia-a100-pcie-80gb", "NVIDIA A100 80GB PCIe", 80, 81920, 1935, 108, tflops=312, tops=624, reserved=769),
    _A100("nvidia-a100-sxm4-80gb", "NVIDIA A100-SXM4-80GB", 80, 81920, 2039, 108, tflops=312, tops=624, reserved=769),
    _ADA("nvidia-l4", "NVIDIA L4", 24, 23034, 300, 58, tflops=121, tops=242, reserved=465),
    _ADA("nvidia-l20", "NVIDIA L20", 48, 46068, 864, 92, tflops=119.5, tops=239),
    _ADA("nvidia-l40", "NVIDIA L40", 48, 46068, 864, 142, tflops=181.05, tops=362),
    _ADA("nvidia-l40s", "NVIDIA L40S", 48, 46068, 864, 142, tflops=362.05, tops=733),
    _HOPPER("nvidia-h20", "NVIDIA H20", 96, 97871, 4000, 78, tflops=148, tops=296),
    _HOPPER("nvidia-h100-pcie", "NVIDIA H100 PCIe", 80, 81559, 2039, 114, tflops=756, tops=1513, reserved=478),
    _HOPPER("nvidia-h100-sxm5", "NVIDIA H100 80GB HBM3", 80, 81559, 3352, 132, tflops=989, tops=1979, reserved=478),
    _HOPPER("nvidia-h100-nvl", "NVIDIA H100 NVL", 94, 95830, 3938, 132, tflops=835, tops=1671),
    _HOPPER("nvidia-h200", "NVIDIA H200", 141, 143771, 4800, 132, tflops=989, tops=1979),
    _HOPPER("nvidia-h200-nvl", "NVIDIA H200 NVL", 141, 143771, 4800, 132, tflops=835, tops=1671),
    _HOPPER("nvidia-gh200", "NVIDIA GH200 480GB", 96, 97871, 4000, 132, tflops=989, tops=1979, link=C2C),
    _BLACKWELL("nvidia-b200", "NVIDIA B200", 180, 183359, 8000, 148, tflops=2250, tops=4500, reserved=727),
    _BLACKWELL("nvidia-gb200", "NVIDIA GB200", 186, 189471, 8000, 148, tflops=2500, tops=5000, link=C2C),
    _ULTRA("nvidia-b300", "NVIDIA B300 SXM6 AC", 288, 275040, 8000, 148, tflops=2250, link=(6, 16)),
    _ULTRA("nvidia-gb300", "NVIDIA GB300", 288, 284208, 8000, 148, tflops=2500, link=C2C),
)
