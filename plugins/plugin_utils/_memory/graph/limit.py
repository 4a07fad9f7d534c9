# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many tensors a graph may have: llama.cpp's scheduler notes them in a table of fixed size, and the process aborts where that is full.

The table is made for eight times the model's tensors. Quantized caches and slots with caches of their own add some to every block, which is
too many for models of few tensors a block, such as Phi-4.

Source: src/llama-context.cpp (graph_max_nodes), ggml/src/ggml.c (ggml_hash_size), ggml/src/ggml-impl.h (ggml_hash_find_or_insert).
"""

from __future__ import annotations

from bisect import bisect_left

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

LEAST = 1024
FOR_EACH_TENSOR = 8

SIZES = (1031, 2053, 4099, 8209, 16411, 32771, 65537, 131101, 262147)
"""The primes after powers of two."""

WITH_MORE = frozenset(
    """bailingmoe3 deepseek4 dflash glm5-next hrm_text hy_v4 kimi-k3 kimi-linear minimax-01 minimax-m3 nanbeige qwen35 qwen35moe qwen3next
    qwen4exp""".split()
)
"""Architectures with a table four times as large and more."""

NEAR = 12
"""Tensors of a graph for each of the model: no graph of the others has more."""


class TooManyTensors(InfraError):
    """llama.cpp would stop."""


def size(held):
    """The size of the table for the tensors that are loaded, {block: Held}."""
    tensors = sum(len(together.tensors) for together in held.values())
    return SIZES[bisect_left(SIZES, max(LEAST, FOR_EACH_TENSOR * tensors))]


def may_be_reached(model, held):
    """Whether it needs counting: for most models the next prime is far."""
    return model.architecture not in WITH_MORE and size(held) < NEAR * sum(len(together.tensors) for together in held.values())


def check(model, settings, held, count):
    """Raise TooManyTensors where llama.cpp would stop; C(count): a function that counts the tensors of the whole graph."""
    if not may_be_reached(model, held):
        return
    tensors, room = count(), size(held)
    if tensors > room:
        raise TooManyTensors(
            "llama.cpp stops: its scheduler has no room for so many tensors",
            where=model.name or "model",
            got=f"{tensors} in the graph with K {settings.cache_type_k}, V {settings.cache_type_v} and {settings.n_stream} separate caches",
            expected=f"at most {room} for this model",
            fix="Use a cache of f16, or one cache for all slots (kv_unified)",
        )
