# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Radeon RX and Radeon PRO.

A line: id, the driver's name, GiB on the label, MiB that the driver reports, GB/s, compute units, peak MHz.
"""

from __future__ import annotations

from functools import partial

from .amd import amd

_RDNA2 = partial(amd, flops=256, int8=512)
_RDNA3 = partial(amd, flops=512, int8=512)
_RDNA4 = partial(amd, flops=1024, int8=2048, link=(5, 16))

RADEON = (
    amd("amd-radeon-vii", "AMD Radeon VII", 16, 16368, 1024, 60, 1750, gfx="gfx906", flops=256, int8=512, link=(3, 16), seen=False),
    amd("amd-radeon-pro-vii", "AMD Radeon Pro VII", 16, 16368, 1024, 60, 1700, gfx="gfx906", flops=256, int8=512),
    _RDNA2("amd-rx-6600", "AMD Radeon RX 6600", 8, 8176, 224, 28, 2491, gfx="gfx1032", link=(4, 8)),
    _RDNA2("amd-rx-6600-xt", "AMD Radeon RX 6600 XT", 8, 8176, 256, 32, 2589, gfx="gfx1032", link=(4, 8)),
    _RDNA2("amd-rx-6700-xt", "AMD Radeon RX 6700 XT", 12, 12272, 384, 40, 2581, gfx="gfx1031"),
    _RDNA2("amd-rx-6750-xt", "AMD Radeon RX 6750 XT", 12, 12272, 432, 40, 2600, gfx="gfx1031"),
    _RDNA2("amd-rx-6800", "AMD Radeon RX 6800", 16, 16368, 512, 60, 2105, gfx="gfx1030"),
    _RDNA2("amd-rx-6800-xt", "AMD Radeon RX 6800 XT", 16, 16368, 512, 72, 2250, gfx="gfx1030"),
    _RDNA2("amd-rx-6900-xt", "AMD Radeon RX 6900 XT", 16, 16368, 512, 80, 2250, gfx="gfx1030"),
    _RDNA2("amd-rx-6950-xt", "AMD Radeon RX 6950 XT", 16, 16368, 576, 80, 2310, gfx="gfx1030", seen=False),
    _RDNA2("amd-pro-w6800", "AMD Radeon PRO W6800", 32, 30704, 512, 60, 2320, gfx="gfx1030", seen=False),
    _RDNA2("amd-pro-v620", "AMD Radeon PRO V620", 32, 30704, 512, 72, 2200, gfx="gfx1030"),
    _RDNA3("amd-rx-7600", "AMD Radeon RX 7600", 8, 8176, 288, 32, 2655, gfx="gfx1102", link=(4, 8), seen=False),
    _RDNA3("amd-rx-7600-xt", "AMD Radeon RX 7600 XT", 16, 16368, 288, 32, 2755, gfx="gfx1102", link=(4, 8), seen=False),
    _RDNA3("amd-rx-7700-xt", "AMD Radeon RX 7700 XT", 12, 12272, 432, 54, 2544, gfx="gfx1101", seen=False),
    _RDNA3("amd-rx-7800-xt", "AMD Radeon RX 7800 XT", 16, 16368, 624, 60, 2430, gfx="gfx1101"),
    _RDNA3("amd-rx-7900-gre", "AMD Radeon RX 7900 GRE", 16, 16368, 576, 80, 2245, gfx="gfx1100", seen=False),
    _RDNA3("amd-rx-7900-xt", "AMD Radeon RX 7900 XT", 20, 20464, 800, 84, 2400, gfx="gfx1100"),
    _RDNA3("amd-rx-7900-xtx", "AMD Radeon RX 7900 XTX", 24, 24560, 960, 96, 2500, gfx="gfx1100"),
    _RDNA3("amd-pro-w7800", "AMD Radeon PRO W7800", 32, 30704, 576, 70, 2525, gfx="gfx1100", seen=False),
    _RDNA3("amd-pro-w7900", "AMD Radeon PRO W7900", 48, 46064, 864, 96, 2495, gfx="gfx1100"),
    _RDNA4("amd-rx-9060-xt", "AMD Radeon RX 9060 XT", 8, 8112, 320, 32, 3130, gfx="gfx1200", seen=False),
    _RDNA4("amd-rx-9060-xt-16gb", "AMD Radeon RX 9060 XT", 16, 16304, 320, 32, 3130, gfx="gfx1200"),
    _RDNA4("amd-rx-9070", "AMD Radeon RX 9070", 16, 16304, 640, 56, 2520, gfx="gfx1201", seen=False),
    _RDNA4("amd-rx-9070-xt", "AMD Radeon RX 9070 XT", 16, 16304, 640, 64, 2970, gfx="gfx1201"),
    _RDNA4("amd-r9700", "AMD Radeon AI PRO R9700", 32, 32624, 640, 64, 2920, gfx="gfx1201"),
)
