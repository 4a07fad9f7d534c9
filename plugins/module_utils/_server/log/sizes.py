# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes and names of buffers for a person. Private: not an interface for other collections."""

from __future__ import annotations


def human(size):
    """'512 MiB', '19.1 GiB'."""
    mib = size / (1024 * 1024)
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def host_or_device(buffer):
    """'the host' for CPU, CPU_Mapped or CUDA_Host; 'GPU CUDA0'."""
    return "the host" if buffer.startswith("CPU") or buffer.endswith("_Host") else f"GPU {buffer.partition('_')[0]}"
