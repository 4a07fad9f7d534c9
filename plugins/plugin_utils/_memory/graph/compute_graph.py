# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graph of a model, cut down to the blocks that can decide the size of a buffer."""

from __future__ import annotations

from .allocator import buffer_sizes
from .architectures import build_graph
from .blocks import Build
from .scheduler import schedule

ALIKE = 2
"""Of blocks that are alike, with alike neighbours, so many are kept: memory is used again in the same way from then on."""


def compute_bytes(model, settings, devices, layout, placed):
    """Bytes of compute buffers per device and, last, on the host."""
    build = Build(model, settings, layout, placed, len(devices))
    build.blocks = representative(model, layout, placed, build)
    build.last_block = model.n_layer - 1
    build_graph(build)
    plan = schedule(build.graph, len(devices), settings.op_offload, pipelined(model, settings, devices))
    return buffer_sizes(plan, len(devices))


def representative(model, layout, placed, build):
    kinds = [[] for _block in range(model.n_layer)]
    for device, _size, group, block in placed:
        if block is not None and block < model.n_layer:
            kinds[block].append((id(group) if device < 0 else (group.name, group.shape), device))
    kinds = [(layout.blocks[block], build.windowed[block], build.heads[block], build.kv_heads[block], tuple(kind)) for block, kind in enumerate(kinds)]
    numbers = {}
    kinds = [numbers.setdefault(kind, len(numbers)) for kind in kinds]
    kept, seen = [], {}
    last = len(kinds) - 1
    for block, kind in enumerate(kinds):
        around = (kinds[block - 1] if block else None, kind, kinds[block + 1] if block < last else None)
        seen[around] = seen.get(around, 0) + 1
        if seen[around] <= ALIKE:
            kept.append(block)
    return kept


def pipelined(model, settings, devices):
    """Whether inputs are copied ahead: every layer on devices that support events, nothing overridden (src/llama-context.cpp)."""
    return (
        len(devices) > 1
        and settings.split_mode == "layer"
        and settings.n_gpu_layers > model.n_layer_all
        and settings.kv_offload
        and not (settings.override_tensor or settings.cpu_moe or settings.n_cpu_moe)
        and all(device.events for device in devices)
    )
