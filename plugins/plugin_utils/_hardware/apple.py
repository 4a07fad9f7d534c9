# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apple's M chips, each with its full GPU; those whose smaller variant has less bandwidth twice, told apart by the RAM they are sold with.

A line: id, the name that Metal gives, GiB as sold, GB/s, GPU cores, TFLOPS. Bandwidth: Apple's specifications.
TFLOPS are estimates, for Apple prints few: cores x 256 per clock x 1.28 (M1), 1.4 (M2), 1.38 (M3), 1.58 GHz (M4), which gives the 2.6 and 3.6 that Apple
does print of M1 and M2; M5 by Apple's "over four times the peak GPU compute of M4 for AI".
"""

from __future__ import annotations

from functools import partial

from .unified import unified

_APPLE = partial(unified, vendor="apple", source="Apple's specifications of the Macs with it; TFLOPS estimated")

APPLE = (
    _APPLE("apple-m1", "Apple M1", sizes=(8, 16), gb_s=68.2, units=8, tflops=2.6),
    _APPLE("apple-m1-pro", "Apple M1 Pro", sizes=(16, 32), gb_s=200, units=16, tflops=5.2),
    _APPLE("apple-m1-max", "Apple M1 Max", sizes=(32, 64), gb_s=400, units=32, tflops=10.5),
    _APPLE("apple-m1-ultra", "Apple M1 Ultra", sizes=(64, 128), gb_s=800, units=64, tflops=21),
    _APPLE("apple-m2", "Apple M2", sizes=(8, 16, 24), gb_s=100, units=10, tflops=3.6),
    _APPLE("apple-m2-pro", "Apple M2 Pro", sizes=(16, 32), gb_s=200, units=19, tflops=6.8),
    _APPLE("apple-m2-max", "Apple M2 Max", sizes=(32, 64, 96), gb_s=400, units=38, tflops=13.6),
    _APPLE("apple-m2-ultra", "Apple M2 Ultra", sizes=(64, 128, 192), gb_s=800, units=76, tflops=27.2),
    _APPLE("apple-m3", "Apple M3", sizes=(8, 16, 24), gb_s=100, units=10, tflops=3.5),
    _APPLE("apple-m3-pro", "Apple M3 Pro", sizes=(18, 36), gb_s=150, units=18, tflops=6.4),
    _APPLE("apple-m3-max-30-core", "Apple M3 Max", sizes=(36, 96), gb_s=300, units=30, tflops=10.6),
    _APPLE("apple-m3-max", "Apple M3 Max", sizes=(48, 64, 128), gb_s=400, units=40, tflops=14.1),
    _APPLE("apple-m3-ultra", "Apple M3 Ultra", sizes=(96, 256, 512), gb_s=819, units=80, tflops=28.3),
    _APPLE("apple-m4", "Apple M4", sizes=(16, 24, 32), gb_s=120, units=10, tflops=4.0),
    _APPLE("apple-m4-pro", "Apple M4 Pro", sizes=(24, 48, 64), gb_s=273, units=20, tflops=8.1),
    _APPLE("apple-m4-max-32-core", "Apple M4 Max", sizes=(36,), gb_s=410, units=32, tflops=12.9),
    _APPLE("apple-m4-max", "Apple M4 Max", sizes=(48, 64, 128), gb_s=546, units=40, tflops=16.2),
    _APPLE("apple-m5", "Apple M5", sizes=(16, 24, 32), gb_s=153, units=10, tflops=16),
    _APPLE("apple-m5-pro", "Apple M5 Pro", sizes=(24, 48, 64), gb_s=307, units=20, tflops=32),
    _APPLE("apple-m5-max-32-core", "Apple M5 Max", sizes=(36,), gb_s=460, units=32, tflops=51),
    _APPLE("apple-m5-max", "Apple M5 Max", sizes=(48, 64, 128), gb_s=614, units=40, tflops=64),
)
