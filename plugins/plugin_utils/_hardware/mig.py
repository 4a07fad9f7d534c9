# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A MIG instance, a part of an NVIDIA GPU, from what the table knows of the whole.

NVIDIA's MIG user guide: an instance has its slices of the memory with their share of the bandwidth, and its slices of the multiprocessors.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

# 1g.10gb, 1c.3g.40gb, 1g.10gb+me: compute slices of the compute instance where that is a part, of the GPU instance, memory.
_PROFILE = re.compile(r"(?:(\d)c\.)?(\d)g\.\d+gb(?:[+-][\w.]+)*")
_SUFFIX = re.compile(r"\s+MIG\s+\S+$")
_SLICES = 7
_OTHER_SLICES = {"nvidia-a30": 4, "nvidia-rtx-pro-6000-blackwell": 4, "nvidia-rtx-pro-6000-blackwell-max-q": 4, "nvidia-rtx-pro-6000-blackwell-server": 4}


def parent_name(name):
    """The name of the GPU that an instance of this name is a part of."""
    return _SUFFIX.sub("", name)


def compute_slices(profile, where):
    """How many slices of the multiprocessors a profile has; InfraError for what is none."""
    match = _PROFILE.fullmatch(profile) if isinstance(profile, str) else None
    if match is None:
        raise InfraError("not a MIG profile", where, shown(profile), "a profile such as '1g.10gb'")
    return int(match.group(1) or match.group(2))


def part_of(model, slices, memory_total_bytes):
    """The GpuModel of an instance with this many compute slices and this memory. The bus is the whole GPU's, shared by all instances."""
    share = memory_total_bytes / model.memory_total_bytes
    all_slices = _OTHER_SLICES.get(model.id, _SLICES)
    part = min(slices, all_slices) / all_slices
    return replace(
        model,
        memory_bandwidth_bytes_per_second=int(model.memory_bandwidth_bytes_per_second * min(share, 1)),
        units=max(int(model.units * part), 1),
        matrix_flops=int(model.matrix_flops * part),
        int8_ops=None if model.int8_ops is None else int(model.int8_ops * part),
    )
