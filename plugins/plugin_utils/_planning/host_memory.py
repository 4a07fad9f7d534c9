# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server may hold in RAM beside its buffers: how many context checkpoints, how large a prompt cache, and what all of it comes to."""

from __future__ import annotations

from dataclasses import dataclass

from .._memory.host.checkpoints import PER_SLOT, checkpoint_bytes
from .._memory.host.ram import HostRam, host_ram
from .._units import MIB

CACHE_RAM_BYTES = 8192 * MIB
"""llama-server's prompt cache in RAM, unless told otherwise (common/common.h: cache_ram_mib)."""

CANT_MAP = ("nvidia", "amd")
"""Vendors whose GPUs do without a mapped file where they share the RAM (mmap_support in ggml-cuda.cu, which is ROCm's too)."""


@dataclass(frozen=True)
class HostMemory:
    """C(checkpoints): for each slot."""

    checkpoints: int
    ram: HostRam


def host_memory(model, node, devices, budget, allocation, load_mode):
    """The HostMemory of an Allocation: llama-server's own figures, or what the RAM's budget still holds.

    Of what is left, checkpoints get half at most, and the prompt cache the rest.
    """
    left = max(budget.ram_bytes - budget.in_ram_bytes(allocation), 0)
    slots = allocation.settings.n_seq_max
    one = checkpoint_bytes(model, allocation.settings)
    checkpoints = min(PER_SLOT, left // 2 // (one * slots)) if one else PER_SLOT
    cache_ram_bytes = min(CACHE_RAM_BYTES, (left - one * slots * checkpoints) // MIB * MIB)
    if load_mode == "auto" and budget.unified and node.gpus[-1].vendor in CANT_MAP:
        load_mode = "none"
    return HostMemory(checkpoints, host_ram(model, allocation, devices, load_mode, budget.unified, checkpoints, cache_ram_bytes))
