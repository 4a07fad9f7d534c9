# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bytes of the compute buffers: what llama.cpp reserves for the largest micro-batch.

llama.cpp builds the graph of that computation, and ggml decides which backend computes what and where each result lies; a buffer
is as large as the moment at which most of it is in use. The same is done here, without values (graph/). Blocks that are alike
reuse memory in the same way, so a few of them stand for all. Source: src/llama-context.cpp (sched_reserve, graph_reserve).
"""

from __future__ import annotations

from collections import Counter

from .cache import hybrid
from .cache.sliding_window import windowed_blocks
from .graph import limit
from .graph.allocator import ALIGNMENT_OF_DEVICE, ALIGNMENT_OF_HOST, Pool, buffer_sizes
from .graph.architectures import MARKS, WHOLE, build_graph
from .graph.blocks import Build
from .graph.chunks import ChunkedPool
from .graph.scheduler import schedule
from .remote import pinned_by, remote_numbers

ALIKE = 2
"""Of blocks that are alike, between alike neighbours, so many are kept, or one more where their number is odd: results often change places
from one block to the next, and back."""

ALIKE_HYBRIDS = 4
"""The same where some blocks keep a state: it takes longer until memory is used again in the same way."""

MOST_WHOLE = 128
"""Blocks of a graph that is built whole, half as many again as such a model has: a plan builds it some dozen times."""


def compute(model, settings, devices, layout, held):
    """Bytes of compute buffers per device and, last, on the host.

    C(held): the Held of each block (weights.py). Raises InfraError for an architecture whose graph is not described.
    """
    return buffer_sizes(scheduled(model, settings, devices, layout, held, pipelined(model, settings, devices)), pools(devices))


def scheduled(model, settings, devices, layout, held, ahead=False, running=False):
    """The Schedule of the largest micro-batch; C(ahead): with inputs for several at once; C(running): as it is run, which differs from what is reserved."""
    # blocks that are run again have the tensors of the first time
    held = {block: held[model.block_in_file(block)] for block in held} if model.is_looped else held
    build = Build(model, settings, layout, held, built(model, settings, layout, held), len(devices), running=running)
    build_graph(build)
    limit.check(model, settings, held, lambda: _tensors(build, held))
    return schedule(build.graph, len(devices), settings.op_offload, ahead, remote_numbers(devices))


def _tensors(build, held):
    """Tensors of the whole graph: those of the blocks that were built, for all; counted where that may be too many."""
    blocks = build.model.n_layer
    guess = len(build.graph) * blocks // len(build.blocks)
    if build.settings.mtp == "context" or guess <= limit.size(held):
        return guess
    whole = Build(build.model, build.settings, build.layout, held, tuple(range(blocks)), build.host)
    build_graph(whole)
    return len(whole.graph)


def pools(devices):
    """An empty buffer for each device and the host; pinned memory of the host is the first device's, with its limit."""
    limits, pinned = [device.chunk_bytes for device in devices], pinned_by(devices)
    aligned = [ALIGNMENT_OF_DEVICE] * len(devices) + [ALIGNMENT_OF_HOST]
    return [
        Pool(alignment) if limit is None else ChunkedPool(alignment, limit)
        for alignment, limit in zip(aligned, [*limits, pinned and pinned.chunk_bytes], strict=True)
    ]


def built(model, settings, layout, held):
    """The blocks whose graph is built."""
    if settings.mtp == "context":
        return (model.n_layer,)
    if model.architecture not in WHOLE:
        return representative(model, layout, held)
    if model.n_layer > MOST_WHOLE:
        raise model.impossible("block_count", model.n_layer, f"at most {MOST_WHOLE} for this architecture")
    return tuple(range(model.n_layer))


def representative(model, layout, held):
    """The blocks to keep, in order: of those that are alike, between alike neighbours, C(ALIKE) are enough, and the last."""
    marks = MARKS[model.architecture](model) if model.architecture in MARKS else (None,) * model.n_layer
    windowed, heads = windowed_blocks(model), model.per_layer("attention.head_count", 0)
    numbers, alike, staged = {}, [], []
    for block in range(model.n_layer):
        kind = (layout.blocks[block], windowed[block], heads[block], marks[block], held[block].kind)
        alike.append(numbers.setdefault(kind, len(numbers)))
        staged.append(held[block].staged)
    around = list(zip([None, *alike], alike, staged, [*alike[1:], None], strict=False))
    few = ALIKE_HYBRIDS if model.architecture in hybrid.ARCHITECTURES else ALIKE
    left = {kind: few + count % 2 for kind, count in Counter(around).items()}
    kept = []
    for block, kind in enumerate(around):
        if left[kind]:
            left[kind] -= 1
            kept.append(block)
    return tuple(kept)


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
