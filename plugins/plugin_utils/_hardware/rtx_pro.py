# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's workstation cards: Quadro, RTX A, RTX Ada, RTX PRO Blackwell.

A line: id, the driver's name, GiB on the label, MiB that nvidia-smi reports, GB/s, multiprocessors, boost MHz.
These accumulate in FP32 at the full rate. Clocks: those that give the tensor throughput of the card's datasheet
(which counts sparse FP8 from Ada on and sparse FP4 from Blackwell on: a quarter and an eighth of it is dense FP16).
Of RTX PRO 4000 and 4500 public tables name clocks that differ by a quarter and a tenth: the lower stands here.
"""

from __future__ import annotations

from functools import partial

from .nvidia import DATASHEET, nvidia

_PASCAL = partial(nvidia, cc="6.1", flops=256, int8=1024, link=(3, 16), source=DATASHEET)
_VOLTA = partial(nvidia, cc="7.0", flops=1024, int8=512, link=(3, 16), source=DATASHEET)
_TURING = partial(nvidia, cc="7.5", flops=1024, int8=2048, link=(3, 16), source=DATASHEET)
_AMPERE = partial(nvidia, cc="8.6", flops=1024, int8=2048, source=DATASHEET)
_ADA = partial(nvidia, cc="8.9", flops=1024, int8=2048, source=DATASHEET)
_BLACKWELL = partial(
    nvidia, cc="12.0", flops=1024, int8=2048, link=(5, 16), source="NVIDIA's paper on the RTX PRO Blackwell architecture, datasheet of the card"
)

RTX_PRO = (
    _PASCAL("nvidia-quadro-p6000", "Quadro P6000", 24, 24576, 432, 30, 1645, reserved=138),
    _VOLTA("nvidia-quadro-gv100", "Quadro GV100", 32, 32768, 870, 80, 1447, reserved=274, seen=False),
    _TURING("nvidia-quadro-rtx-4000", "Quadro RTX 4000", 8, 8192, 416, 36, 1545, seen=False),
    _TURING("nvidia-quadro-rtx-5000", "Quadro RTX 5000", 16, 16384, 448, 48, 1815, reserved=457, seen=False),
    _TURING("nvidia-quadro-rtx-6000", "Quadro RTX 6000", 24, 24576, 672, 72, 1770),
    _TURING("nvidia-quadro-rtx-8000", "Quadro RTX 8000", 48, 49152, 672, 72, 1770),
    _AMPERE("nvidia-rtx-a2000", "NVIDIA RTX A2000", 6, 6138, 288, 26, 1200),
    _AMPERE("nvidia-rtx-a2000-12gb", "NVIDIA RTX A2000 12GB", 12, 12282, 288, 26, 1200),
    _AMPERE("nvidia-rtx-a4000", "NVIDIA RTX A4000", 16, 16376, 448, 48, 1560),
    _AMPERE("nvidia-rtx-a4500", "NVIDIA RTX A4500", 20, 20470, 640, 56, 1650),
    _AMPERE("nvidia-rtx-a5000", "NVIDIA RTX A5000", 24, 24564, 768, 64, 1695),
    _AMPERE("nvidia-rtx-a5500", "NVIDIA RTX A5500", 24, 24564, 768, 80, 1665, seen=False),
    _AMPERE("nvidia-rtx-a6000", "NVIDIA RTX A6000", 48, 49140, 768, 84, 1800, reserved=569),
    _ADA("nvidia-rtx-2000-ada", "NVIDIA RTX 2000 Ada Generation", 16, 16380, 224, 22, 2130, link=(4, 8)),
    _ADA("nvidia-rtx-4000-ada", "NVIDIA RTX 4000 Ada Generation", 20, 20475, 360, 48, 2175),
    _ADA("nvidia-rtx-4000-sff-ada", "NVIDIA RTX 4000 SFF Ada Generation", 20, 20475, 280, 48, 1560),
    _ADA("nvidia-rtx-4500-ada", "NVIDIA RTX 4500 Ada Generation", 24, 24570, 432, 60, 2580),
    _ADA("nvidia-rtx-5000-ada", "NVIDIA RTX 5000 Ada Generation", 32, 32760, 576, 100, 2550),
    _ADA("nvidia-rtx-6000-ada", "NVIDIA RTX 6000 Ada Generation", 48, 49140, 960, 142, 2505),
    _BLACKWELL("nvidia-rtx-pro-2000-blackwell", "NVIDIA RTX PRO 2000 Blackwell", 16, 16311, 288, 34, 1957, link=(5, 8)),
    _BLACKWELL("nvidia-rtx-pro-4000-blackwell", "NVIDIA RTX PRO 4000 Blackwell", 24, 24467, 672, 70, 2055),
    _BLACKWELL("nvidia-rtx-pro-4500-blackwell", "NVIDIA RTX PRO 4500 Blackwell", 32, 32623, 896, 82, 2407),
    _BLACKWELL("nvidia-rtx-pro-5000-blackwell", "NVIDIA RTX PRO 5000 Blackwell", 48, 48935, 1344, 110, 2290),
    _BLACKWELL("nvidia-rtx-pro-5000-72gb-blackwell", "NVIDIA RTX PRO 5000 72GB Blackwell", 72, 73411, 1344, 110, 2290, seen=False),
    _BLACKWELL("nvidia-rtx-pro-6000-blackwell", "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 96, 97887, 1792, 188, 2617, reserved=642),
    _BLACKWELL("nvidia-rtx-pro-6000-blackwell-max-q", "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", 96, 97887, 1792, 188, 2280, reserved=599),
    _BLACKWELL("nvidia-rtx-pro-6000-blackwell-server", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 96, 97887, 1597, 188, 2493),
)
