# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program itself: its code, threads, graphs and requests, and with a GPU what the driver and its libraries map into it."""

from __future__ import annotations

from ..._units import MIB

PROCESS_BYTES = 256 * MIB
"""An estimate from above for a server without a GPU: llama.cpp's library alone took 6 MiB; graphs, HTTP threads and requests come on top."""

DRIVER_BYTES = 512 * MIB
"""An estimate: libraries of CUDA or ROCm and what the driver maps, however many GPUs there are."""


def process_bytes(devices):
    return PROCESS_BYTES + (DRIVER_BYTES if devices else 0)
