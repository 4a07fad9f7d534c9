# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The seconds of one generated token, and of one micro-batch of a prompt.

Within a token everything waits for what comes before it: the times of all devices add up, so several GPUs don't speed up one request.
Sources: ggml/src/ggml-backend.cpp (ggml_backend_sched_compute_splits: splits run one after another; of offloaded experts only those used are
copied), ggml/src/ggml-cuda/ggml-cuda.cu (ggml_backend_cuda_device_offload_op: from 32 tokens on).
"""

from __future__ import annotations

from dataclasses import dataclass

from .rates import CHANGE_SECONDS, EXPERT_WAITING, MAPPED_SHARE, PINNED_SHARE

OFFLOADED_FROM = 32
"""Tokens of a micro-batch from which a GPU works with weights in RAM (GGML_OP_OFFLOAD_MIN_BATCH)."""

EXPERT_SHARE = 0.4
"""Experts reach this part of a matrix rate: each has a few tokens of a batch only. Fitted to Qwen3-30B-A3B and DeepSeek-V2-Lite."""

OF_INT8 = 2
"""A matrix unit multiplies INT8, which quantized weights become, at most twice as fast as FP16."""


@dataclass(frozen=True)
class Phase:
    """C(expected): seconds by what they go to. C(least): what the hardware needs at least for it."""

    expected: dict[str, float]
    least: float

    @property
    def seconds(self):
        return sum(self.expected.values())

    @property
    def bound_by(self):
        """What most of the time goes to."""
        return max(self.expected, key=self.expected.get, default=None)


def token(work, cache_bytes, rates):
    """The Phase of one generated token; C(cache_bytes) are read of each device's cache and of that on the host."""
    expected, least = {}, 0.0
    for number, (weights, cache) in enumerate(zip(work.token_bytes, cache_bytes, strict=True)):
        size = weights + cache
        if size:
            name = rates.names[number]
            expected[name if name == "RAM" else f"{name} memory"] = size / rates.memory[number]
            least += size / rates.peak_memory[number]
    waiting = sum(count * seconds for count, seconds in zip(work.blocks, rates.block_seconds, strict=True))
    if any(work.expert_bytes):
        waiting *= EXPERT_WAITING
    expected["latency"] = waiting + 2 * sum(work.apart) * CHANGE_SECONDS
    return Phase(expected, least)


def batch(work, tokens, rates, share, op_offload, pinned):
    """The Phase of C(tokens) of a prompt; C(share): the part of the experts that one token uses.

    A device takes as long as its arithmetic or its memory, whichever is slower. What the bus does is not hidden behind either.
    """
    used = 1 - (1 - share) ** tokens
    offloaded = op_offload and len(rates.names) > 1 and tokens >= OFFLOADED_FROM
    operations, experts = list(work.operations), list(work.expert_operations)
    read = [whole - of_experts * (1 - used) for whole, of_experts in zip(work.batch_bytes, work.expert_bytes, strict=True)]
    expected, least = {}, []
    if offloaded and read[-1]:
        operations[0] += operations.pop()
        experts[0] += experts.pop()
        moved = read.pop()
        expected["PCIe"] = moved / (rates.peak_bus * (PINNED_SHARE if pinned else MAPPED_SHARE))
        least.append(moved / rates.peak_bus)
    for number, (plain, of_experts, size) in enumerate(zip(operations, experts, read, strict=True)):
        if not (plain or of_experts or size):
            continue
        computing = tokens * (plain + of_experts / EXPERT_SHARE) / rates.matrix[number]
        reading = size / rates.memory[number]
        name = rates.names[number]
        what = ("CPU" if name == "RAM" else name) + " compute" if computing >= reading else name if name == "RAM" else f"{name} memory"
        expected[what] = max(computing, reading)
        least.append(max(tokens * (plain + of_experts) / (rates.peak_matrix[number] * OF_INT8), size / rates.peak_memory[number]))
    return Phase(expected, max(least, default=0.0))
