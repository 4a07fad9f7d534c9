# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AMD Instinct.

A line: id, the driver's name, GiB on the label, MiB that the driver reports, GB/s, compute units, peak MHz.
One line is one GPU: an MI250 or MI250X is two, each with half of the card's 128 GB.
"""

from __future__ import annotations

from functools import partial

from .amd import amd
from .unified import unified

_VEGA = partial(amd, gfx="gfx906", flops=256, int8=512)
_CDNA1 = partial(amd, gfx="gfx908", flops=1024, int8=1024)
_CDNA2 = partial(amd, gfx="gfx90a", flops=1024, int8=1024)
_CDNA3 = partial(amd, gfx="gfx942", flops=2048, int8=4096, link=(5, 16), used=300)
_CDNA4 = partial(amd, gfx="gfx950", flops=4096, int8=8192, link=(5, 16), used=300)

INSTINCT = (
    _VEGA("amd-mi50", "AMD Radeon Instinct MI50", 16, 16368, 1024, 60, 1725, seen=False),
    _VEGA("amd-mi50-32gb", "AMD Radeon Instinct MI50", 32, 32752, 1024, 60, 1725, aliases=("AMD Instinct MI50/MI60",)),
    _VEGA("amd-mi60", "AMD Radeon Instinct MI60", 32, 32752, 1024, 64, 1800),
    _CDNA1("amd-mi100", "AMD Instinct MI100", 32, 32752, 1228.8, 120, 1502),
    _CDNA2("amd-mi210", "AMD Instinct MI210", 64, 65520, 1638.4, 104, 1700),
    _CDNA2("amd-mi250", "AMD Instinct MI250", 64, 65520, 1638.4, 104, 1700, seen=False),
    _CDNA2("amd-mi250x", "AMD Instinct MI250X", 64, 65520, 1638.4, 110, 1700),
    _CDNA3("amd-mi300x", "AMD Instinct MI300X", 192, 196592, 5300, 304, 2100),
    _CDNA3("amd-mi325x", "AMD Instinct MI325X", 256, 262128, 6000, 304, 2100, seen=False),
    _CDNA4("amd-mi350x", "AMD Instinct MI350X", 288, 294896, 8000, 256, 2200),
    _CDNA4("amd-mi355x", "AMD Instinct MI355X", 288, 294896, 8000, 256, 2400),
    unified("amd-mi300a", "AMD Instinct MI300A", "amd", (128,), 5300, 228, 980.6, gfx="gfx942", tops=1961.2, source="AMD's product page of MI300A"),
)
