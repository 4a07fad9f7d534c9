# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GeForce and TITAN, desktop and laptop.

A line: id, the driver's name, GiB on the label, MiB that nvidia-smi reports, GB/s, multiprocessors, boost MHz.
Clocks and bandwidth: NVIDIA's architecture papers and product pages; a laptop's clock is the highest that NVIDIA lists, most run below it.
"""

from __future__ import annotations

from functools import partial

from .nvidia import PAPER, nvidia

_PASCAL = partial(nvidia, cc="6.1", flops=256, int8=1024, link=(3, 16), reserved=85, source=PAPER.format("Pascal"))
_TITAN_V = partial(nvidia, cc="7.0", int8=512, link=(3, 16), source=PAPER.format("Volta"))
_TITAN_RTX = partial(nvidia, cc="7.5", flops=1024, int8=2048, link=(3, 16), source=PAPER.format("Turing"))
_TURING_16 = partial(nvidia, cc="7.5", flops=256, int8=512, link=(3, 16), source=PAPER.format("Turing"))
_TURING = partial(nvidia, cc="7.5", flops=512, int8=2048, link=(3, 16), source=PAPER.format("Turing"))
_AMPERE = partial(nvidia, cc="8.6", flops=512, int8=2048, source=PAPER.format("GA102"))
_ADA = partial(nvidia, cc="8.9", flops=512, int8=2048, source=PAPER.format("Ada"))
_BLACKWELL = partial(nvidia, cc="12.0", flops=512, int8=2048, link=(5, 16), source=PAPER.format("RTX Blackwell"))

GEFORCE = (
    _PASCAL("nvidia-gtx-1050-ti", "NVIDIA GeForce GTX 1050 Ti", 4, 4096, 112, 6, 1392, reserved=58),
    _PASCAL("nvidia-gtx-1060-6gb", "NVIDIA GeForce GTX 1060 6GB", 6, 6144, 192, 10, 1708, reserved=81),
    _PASCAL("nvidia-gtx-1070", "NVIDIA GeForce GTX 1070", 8, 8192, 256, 15, 1683, seen=False),
    _PASCAL("nvidia-gtx-1070-ti", "NVIDIA GeForce GTX 1070 Ti", 8, 8192, 256, 19, 1683, seen=False),
    _PASCAL("nvidia-gtx-1080", "NVIDIA GeForce GTX 1080", 8, 8192, 320, 20, 1733),
    _PASCAL("nvidia-gtx-1080-ti", "NVIDIA GeForce GTX 1080 Ti", 11, 11264, 484, 28, 1582, reserved=99),
    _PASCAL("nvidia-titan-x-pascal", "NVIDIA TITAN X (Pascal)", 12, 12288, 480, 28, 1531, reserved=99, seen=False),
    _PASCAL("nvidia-titan-xp", "NVIDIA TITAN Xp", 12, 12288, 547.6, 30, 1582, reserved=99, seen=False),
    _TITAN_V("nvidia-titan-v", "NVIDIA TITAN V", 12, 12288, 652.8, 80, 1455, tflops=110, reserved=236),
    _TURING_16("nvidia-gtx-1650", "NVIDIA GeForce GTX 1650", 4, 4096, 128, 14, 1665, reserved=384),
    _TURING_16("nvidia-gtx-1660-super", "NVIDIA GeForce GTX 1660 SUPER", 6, 6144, 336, 22, 1785),
    _TURING_16("nvidia-gtx-1660-ti", "NVIDIA GeForce GTX 1660 Ti", 6, 6144, 288, 24, 1770, reserved=397),
    _TURING("nvidia-rtx-2060", "NVIDIA GeForce RTX 2060", 6, 6144, 336, 30, 1680),
    _TURING("nvidia-rtx-2060-12gb", "NVIDIA GeForce RTX 2060", 12, 12288, 336, 34, 1650, reserved=455, seen=False),
    _TURING("nvidia-rtx-2060-super", "NVIDIA GeForce RTX 2060 SUPER", 8, 8192, 448, 34, 1650),
    _TURING("nvidia-rtx-2070", "NVIDIA GeForce RTX 2070", 8, 8192, 448, 36, 1620, seen=False),
    _TURING("nvidia-rtx-2070-super", "NVIDIA GeForce RTX 2070 SUPER", 8, 8192, 448, 40, 1770),
    _TURING("nvidia-rtx-2080", "NVIDIA GeForce RTX 2080", 8, 8192, 448, 46, 1710, seen=False),
    _TURING("nvidia-rtx-2080-super", "NVIDIA GeForce RTX 2080 SUPER", 8, 8192, 496, 48, 1815, seen=False),
    _TURING("nvidia-rtx-2080-ti", "NVIDIA GeForce RTX 2080 Ti", 11, 11264, 616, 68, 1545),
    _TITAN_RTX("nvidia-titan-rtx", "NVIDIA TITAN RTX", 24, 24576, 672, 72, 1770, seen=False),
    _AMPERE("nvidia-rtx-3050-6gb", "NVIDIA GeForce RTX 3050", 6, 6144, 168, 18, 1470, link=(4, 8), reserved=341, seen=False),
    _AMPERE("nvidia-rtx-3050", "NVIDIA GeForce RTX 3050", 8, 8192, 224, 20, 1777, link=(4, 8), seen=False),
    _AMPERE("nvidia-rtx-3060", "NVIDIA GeForce RTX 3060", 12, 12288, 360, 28, 1777, reserved=377),
    _AMPERE("nvidia-rtx-3060-ti", "NVIDIA GeForce RTX 3060 Ti", 8, 8192, 448, 38, 1665),
    _AMPERE("nvidia-rtx-3070", "NVIDIA GeForce RTX 3070", 8, 8192, 448, 46, 1725, reserved=373),
    _AMPERE("nvidia-rtx-3070-ti", "NVIDIA GeForce RTX 3070 Ti", 8, 8192, 608, 48, 1770, reserved=352),
    _AMPERE("nvidia-rtx-3080", "NVIDIA GeForce RTX 3080", 10, 10240, 760, 68, 1710),
    _AMPERE("nvidia-rtx-3080-12gb", "NVIDIA GeForce RTX 3080", 12, 12288, 912, 70, 1710, seen=False),
    _AMPERE("nvidia-rtx-3080-ti", "NVIDIA GeForce RTX 3080 Ti", 12, 12288, 912, 80, 1665),
    _AMPERE("nvidia-rtx-3090", "NVIDIA GeForce RTX 3090", 24, 24576, 936, 82, 1695, reserved=453),
    _AMPERE("nvidia-rtx-3090-ti", "NVIDIA GeForce RTX 3090 Ti", 24, 24564, 1008, 84, 1860, reserved=453),
    _AMPERE("nvidia-rtx-3060-laptop", "NVIDIA GeForce RTX 3060 Laptop GPU", 6, 6144, 336, 30, 1703),
    _AMPERE("nvidia-rtx-3070-laptop", "NVIDIA GeForce RTX 3070 Laptop GPU", 8, 8192, 448, 40, 1620, seen=False),
    _AMPERE("nvidia-rtx-3080-laptop-16gb", "NVIDIA GeForce RTX 3080 Laptop GPU", 16, 16384, 448, 48, 1710, seen=False),
    _AMPERE("nvidia-rtx-3080-ti-laptop", "NVIDIA GeForce RTX 3080 Ti Laptop GPU", 16, 16384, 512, 58, 1590, seen=False),
    _ADA("nvidia-rtx-4060", "NVIDIA GeForce RTX 4060", 8, 8188, 272, 24, 2460, link=(4, 8)),
    _ADA("nvidia-rtx-4060-ti", "NVIDIA GeForce RTX 4060 Ti", 8, 8188, 288, 34, 2535, link=(4, 8)),
    _ADA("nvidia-rtx-4060-ti-16gb", "NVIDIA GeForce RTX 4060 Ti", 16, 16380, 288, 34, 2535, link=(4, 8)),
    _ADA("nvidia-rtx-4070", "NVIDIA GeForce RTX 4070", 12, 12282, 504, 46, 2475, reserved=409),
    _ADA("nvidia-rtx-4070-super", "NVIDIA GeForce RTX 4070 SUPER", 12, 12282, 504, 56, 2475),
    _ADA("nvidia-rtx-4070-ti", "NVIDIA GeForce RTX 4070 Ti", 12, 12282, 504, 60, 2610),
    _ADA("nvidia-rtx-4070-ti-super", "NVIDIA GeForce RTX 4070 Ti SUPER", 16, 16376, 672, 66, 2610, reserved=434),
    _ADA("nvidia-rtx-4080", "NVIDIA GeForce RTX 4080", 16, 16376, 716.8, 76, 2505),
    _ADA("nvidia-rtx-4080-super", "NVIDIA GeForce RTX 4080 SUPER", 16, 16376, 736, 80, 2550),
    _ADA("nvidia-rtx-4090", "NVIDIA GeForce RTX 4090", 24, 24564, 1008, 128, 2520, reserved=484),
    _ADA("nvidia-rtx-4090-d", "NVIDIA GeForce RTX 4090 D", 24, 24564, 1008, 114, 2520, seen=False),
    _ADA("nvidia-rtx-4050-laptop", "NVIDIA GeForce RTX 4050 Laptop GPU", 6, 6141, 192, 20, 2370, link=(4, 8)),
    _ADA("nvidia-rtx-4060-laptop", "NVIDIA GeForce RTX 4060 Laptop GPU", 8, 8188, 256, 24, 2370, link=(4, 8), reserved=373),
    _ADA("nvidia-rtx-4070-laptop", "NVIDIA GeForce RTX 4070 Laptop GPU", 8, 8188, 256, 36, 2175, link=(4, 8), seen=False),
    _ADA("nvidia-rtx-4080-laptop", "NVIDIA GeForce RTX 4080 Laptop GPU", 12, 12282, 432, 58, 2280),
    _ADA("nvidia-rtx-4090-laptop", "NVIDIA GeForce RTX 4090 Laptop GPU", 16, 16376, 576, 76, 2040),
    _BLACKWELL("nvidia-rtx-5050", "NVIDIA GeForce RTX 5050", 8, 8151, 320, 20, 2572, link=(5, 8)),
    _BLACKWELL("nvidia-rtx-5060", "NVIDIA GeForce RTX 5060", 8, 8151, 448, 30, 2497, link=(5, 8)),
    _BLACKWELL("nvidia-rtx-5060-ti", "NVIDIA GeForce RTX 5060 Ti", 8, 8151, 448, 36, 2572, link=(5, 8), seen=False),
    _BLACKWELL("nvidia-rtx-5060-ti-16gb", "NVIDIA GeForce RTX 5060 Ti", 16, 16311, 448, 36, 2572, link=(5, 8), reserved=464),
    _BLACKWELL("nvidia-rtx-5070", "NVIDIA GeForce RTX 5070", 12, 12227, 672, 48, 2512, reserved=464),
    _BLACKWELL("nvidia-rtx-5070-ti", "NVIDIA GeForce RTX 5070 Ti", 16, 16303, 896, 70, 2452, reserved=461),
    _BLACKWELL("nvidia-rtx-5080", "NVIDIA GeForce RTX 5080", 16, 16303, 960, 84, 2617),
    _BLACKWELL("nvidia-rtx-5090", "NVIDIA GeForce RTX 5090", 32, 32607, 1792, 170, 2407, reserved=498),
    _BLACKWELL("nvidia-rtx-5060-laptop", "NVIDIA GeForce RTX 5060 Laptop GPU", 8, 8151, 384, 26, 2497, link=(5, 8)),
    _BLACKWELL("nvidia-rtx-5070-laptop", "NVIDIA GeForce RTX 5070 Laptop GPU", 8, 8151, 384, 36, 2347, link=(5, 8)),
    _BLACKWELL("nvidia-rtx-5070-ti-laptop", "NVIDIA GeForce RTX 5070 Ti Laptop GPU", 12, 12227, 672, 46, 2220),
    _BLACKWELL("nvidia-rtx-5080-laptop", "NVIDIA GeForce RTX 5080 Laptop GPU", 16, 16303, 896, 60, 2287),
    _BLACKWELL("nvidia-rtx-5090-laptop", "NVIDIA GeForce RTX 5090 Laptop GPU", 24, 24463, 896, 82, 2160),
)
