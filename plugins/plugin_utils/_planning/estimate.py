# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a request takes on a node: the model of speed (speed/) for one model, node and request."""

from __future__ import annotations

from dataclasses import dataclass

from .._memory.weights import EXPERTS
from .load_mode import is_pinned
from .speed.phases import batch, token
from .speed.rates import rates_of
from .speed.work import work_of


@dataclass(frozen=True)
class Request:
    prompt_tokens: int
    generated_tokens: int


class Estimate:
    """Seconds of one Request on one Node. C(load_mode): as asked for, None where the plan chooses."""

    works_as_pipeline = True
    """Whether several GPUs that hold a whole model work on several micro-batches of a prompt at once."""

    def __init__(self, model, node, devices, request, load_mode=None):
        self._model = model
        self._node = node
        self._devices = devices
        self.request = request
        self._load_mode = load_mode
        self.rates = rates_of(node)
        self._share = model.n_expert_used / model.n_expert if model.n_expert else 1
        self.has_experts = any(EXPERTS.search(group.name) for group in model.tensors)
        self._known = {}

    def work(self, allocation):
        """The Work of an Allocation. It follows from where the tensors are, not from context or batches."""
        settings = allocation.settings
        where = (allocation.layout, settings.n_cpu_moe, settings.cpu_moe, settings.override_tensor, settings.mtp)
        if where not in self._known:
            self._known[where] = work_of(self._model, allocation, self._devices, self._share, self.has_experts)
        return self._known[where]

    def seconds(self, allocation, moved_bytes=0):
        """C(moved_bytes) more of the weights in RAM than the allocation has, taken from the first device; fewer if negative."""
        work = self.work(allocation)
        if moved_bytes:
            work = work.moved(moved_bytes, self._share)
        batches, rest = divmod(self.request.prompt_tokens, allocation.settings.n_ubatch)
        prompt = batches * self._batch(work, allocation, allocation.settings.n_ubatch).seconds
        if rest:
            prompt += self._batch(work, allocation, rest).seconds
        return self.request.generated_tokens * self._token(work, allocation).seconds + prompt

    def token(self, allocation):
        """The Phase of a generated token with half of the context in use."""
        return self._token(self.work(allocation), allocation)

    def batch(self, allocation, tokens):
        """The Phase of a micro-batch of a prompt."""
        return self._batch(self.work(allocation), allocation, tokens)

    def without_gpus(self, allocation, tokens):
        """(Phase of a generated token, Phase of a micro-batch) were everything in RAM and done by the CPU."""
        work = self.work(allocation).on_host()
        caches = cache_bytes(allocation)
        on_host = (0,) * (len(caches) - 1) + (sum(caches),)
        return token(work, on_host, self.rates), batch(work, tokens, self.rates, self._share, False, False)

    def _token(self, work, allocation):
        return token(work, cache_bytes(allocation), self.rates)

    def _batch(self, work, allocation, tokens):
        pinned = is_pinned(self._load_mode, self._node, work.host_bytes)
        return batch(work, tokens, self.rates, self._share, allocation.settings.op_offload, pinned)


def cache_bytes(allocation):
    """What a token reads of the cache on each device and on the host: half of it is in use."""
    return tuple(buffers.kv_bytes // 2 for buffers in (*allocation.devices, allocation.host))
