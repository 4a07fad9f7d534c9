# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ryzen processors with graphics that share the RAM.

A line: id, the name that ROCm and Vulkan give, GiB that such machines have, GB/s, compute units, dense FP16 TFLOPS
(compute units x 512 per clock from RDNA 3 on, x 256 before, x peak MHz). Bandwidth is that of the fastest RAM the processor takes, both channels filled:
what is built in decides, so give memory_bandwidth_bytes_per_second where it is slower.
"""

from __future__ import annotations

from functools import partial

from .unified import unified

_RYZEN = partial(unified, vendor="amd", source="AMD's product pages of the processors; TFLOPS derived")

RYZEN = (
    _RYZEN("amd-radeon-8060s", "Radeon 8060S Graphics", sizes=(32, 64, 96, 128), gb_s=256, units=40, tflops=59.4, gfx="gfx1151"),
    _RYZEN("amd-radeon-8050s", "Radeon 8050S Graphics", sizes=(32, 64, 128), gb_s=256, units=32, tflops=45.9, gfx="gfx1151"),
    _RYZEN("amd-radeon-890m", "AMD Radeon 890M Graphics", sizes=(16, 32, 64, 96, 128), gb_s=120, units=16, tflops=23.8, gfx="gfx1150"),
    _RYZEN("amd-radeon-880m", "AMD Radeon 880M Graphics", sizes=(16, 32, 64, 96), gb_s=120, units=12, tflops=17.8, gfx="gfx1150"),
    _RYZEN("amd-radeon-780m", "AMD Radeon 780M Graphics", sizes=(16, 32, 64, 96, 128), gb_s=89.6, units=12, tflops=16.6, gfx="gfx1103"),
    _RYZEN("amd-radeon-760m", "AMD Radeon 760M Graphics", sizes=(16, 32, 64, 96), gb_s=89.6, units=8, tflops=10.6, gfx="gfx1103"),
    _RYZEN("amd-radeon-680m", "AMD Radeon 680M Graphics", sizes=(16, 32, 64), gb_s=76.8, units=12, tflops=6.8, gfx="gfx1035"),
)
