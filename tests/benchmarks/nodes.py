# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes to plan for, as gpu_facts describes them."""

from __future__ import annotations

GIB = 1024**3


def node(gpus, gpu_gib=24, ram_gib=256):
    """C(gpus) equal GPUs of which other programs hold a twentieth, a tenth or three twentieths."""
    return {
        "devices": [
            {
                "vendor": "nvidia",
                "name": f"GPU with {gpu_gib} GiB",
                "uuid": f"GPU-{number}",
                "memory_total_bytes": gpu_gib * GIB,
                "memory_free_bytes": gpu_gib * GIB * (19 - number % 3) // 20,
            }
            for number in range(gpus)
        ],
        "host": {"memory_total_bytes": ram_gib * GIB, "memory_available_bytes": (ram_gib - 6) * GIB},
    }


SIZES = (2, 4, 6, 8, 12, 16, 24, 32, 48, 80, 96, 141)


def tight(gpus, model_bytes):
    """The GiB of the largest common GPU of which this many do not hold the whole model: the planner has to search."""
    return max((size for size in SIZES if gpus * size * GIB < model_bytes), default=SIZES[0])
