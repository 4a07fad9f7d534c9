# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a request takes, roughly: good enough to say which of two placements of one model is the faster.

A generated token reads each weight that works on it once, of the experts only those used, and half of the cache. A prompt
that a GPU works on in batches has the weights in RAM sent to it once for each batch; without op_offload the CPU does their share.
Where the node does not say how fast it is, the figures below stand in. What the plan tells of speed is throughput.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._memory.devices import HOST
from .._memory.weights import EXPERTS, INPUT, placed_tensors
from .sizes import name_apart

GPU_BYTES_PER_SECOND = 400 * 10**9
RAM_BYTES_PER_SECOND = 60 * 10**9
BUS_BYTES_PER_SECOND = 20 * 10**9
"""PCIe 4.0 with sixteen lanes, less what the protocol takes."""

GPU_OPERATIONS_PER_SECOND = 40 * 10**12
CPU_OPERATIONS_PER_SECOND = 10**12
OPERATIONS_PER_BYTE = 3.5
"""Two for each weight, at four and a half bits a weight."""


@dataclass(frozen=True)
class Work:
    """C(token_bytes): weights that one token reads, for each device and, last, the host. C(host_bytes): all weights on the host that work.
    C(apart): blocks on a device with all that may stay in RAM (sizes.py) on the host, and with part of it.
    """

    token_bytes: tuple[int, ...]
    host_bytes: int
    apart: tuple[int, int]


@dataclass(frozen=True)
class Request:
    prompt_tokens: int
    generated_tokens: int


class Estimate:
    """Seconds of one Request on one Node."""

    def __init__(self, model, node, devices, request):
        self._model = model
        self._devices = devices
        self._request = request
        self._bandwidth = [gpu.memory_bandwidth_bytes_per_second or GPU_BYTES_PER_SECOND for gpu in node.gpus]
        self._bandwidth.append(node.memory_bandwidth_bytes_per_second or RAM_BYTES_PER_SECOND)
        experts = model.integer("expert_count", 0)
        self._share = model.n_expert_used / experts if experts else 1
        self.has_experts = any(EXPERTS.search(group.name) for group in model.tensors)
        self._known = {}

    def work(self, allocation):
        """The Work of an Allocation. It follows from where the tensors are, not from context or batches."""
        settings = allocation.settings
        where = (allocation.layout, settings.n_cpu_moe, settings.cpu_moe, settings.override_tensor, settings.mtp)
        if where not in self._known:
            self._known[where] = self._count(allocation)
        return self._known[where]

    def _count(self, allocation):
        token_bytes = [0] * (len(self._devices) + 1)
        host_bytes = 0
        apart, kept = set(), set()
        for device, size, group, block in placed_tensors(self._model, allocation.settings, self._devices, allocation.layout):
            if group.name in INPUT and device == HOST:
                continue
            experts = EXPERTS.search(group.name)
            token_bytes[device] += int(size * self._share) if experts else size
            host_bytes += size if device == HOST else 0
            if block is not None and allocation.layout.blocks[block] != HOST and name_apart(group.name, self.has_experts):
                (apart if device == HOST else kept).add(block)
        return Work(tuple(token_bytes), host_bytes, (len(apart - kept), len(apart & kept)))

    def seconds(self, allocation, moved_bytes=0):
        """C(moved_bytes) more of the weights in RAM than the allocation has, taken from the first device; fewer if negative."""
        work = self.work(allocation)
        host_bytes = max(work.host_bytes + moved_bytes, 0)
        moved = (host_bytes - work.host_bytes) * self._share
        token_bytes = [*work.token_bytes[:-1], max(work.token_bytes[-1] + moved, 0)]
        if self._devices:
            token_bytes[0] = max(token_bytes[0] - moved, 0)
        return self._request.generated_tokens * self._token(allocation, token_bytes) + self._prompt(allocation.settings, token_bytes, host_bytes)

    def _token(self, allocation, token_bytes):
        caches = [buffers.kv_bytes // 2 for buffers in (*allocation.devices, allocation.host)]
        return sum((size + cache) / rate for size, cache, rate in zip(token_bytes, caches, self._bandwidth, strict=True))

    def _prompt(self, settings, token_bytes, host_bytes):
        tokens = self._request.prompt_tokens
        on_gpu = sum(token_bytes[:-1]) * OPERATIONS_PER_BYTE * tokens / GPU_OPERATIONS_PER_SECOND
        in_ram = token_bytes[-1] * OPERATIONS_PER_BYTE * tokens
        if self._devices and settings.op_offload:
            batches = -(-tokens // settings.n_ubatch)
            return on_gpu + in_ram / GPU_OPERATIONS_PER_SECOND + batches * host_bytes / BUS_BYTES_PER_SECOND
        return on_gpu + in_ram / CPU_OPERATIONS_PER_SECOND
