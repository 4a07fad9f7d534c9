# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama.cpp stops at: each of these was asked of it (tests/oracle), with 8 slots and a context of 8192."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.graph.limit import TooManyTensors
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

PHI = "Phi-4-14B-Q4_K_M.gguf"
GPU = (Device("CUDA0", 24 * 1024**3),)


def ask(name, kv_unified, cache_type):
    settings = {"ctx_size": 8192, "parallel": 8, "kv_unified": kv_unified, "cache_type_k": cache_type, "cache_type_v": cache_type}
    model = truth.model(name)
    return allocate(model, resolve(settings, model), GPU)


@pytest.mark.parametrize(("name", "kv_unified"), [(PHI, False), ("grovemoe.gguf", False), ("grovemoe.gguf", True)])
def test_a_graph_that_llama_cpp_stops_at(name, kv_unified):
    with pytest.raises(TooManyTensors, match=r"no room for so many tensors.*kv_unified"):
        ask(name, kv_unified, "q8_0")


@pytest.mark.parametrize(
    ("name", "kv_unified", "cache_type"),
    [(PHI, True, "q8_0"), (PHI, False, "f16"), ("grovemoe.gguf", False, "f16"), ("Llama-3.1-8B-Q4_K_M.gguf", False, "q8_0"), ("kimi-k3.gguf", False, "q8_0")],
)
def test_a_graph_that_it_runs(name, kv_unified, cache_type):
    assert ask(name, kv_unified, cache_type).devices[0].compute_bytes > 0


def test_a_plan_does_without_the_cache_that_it_would_stop_at():
    node = {"gpus": [{"model": "nvidia-rtx-3060"}], "ram_bytes": 64 * 1024**3}
    made = plan(truth.plain(PHI), node, {"ctx_size": 65536, "parallel": 8})
    assert made["fits"] and made["context"]["cache_type_k"] == "f16"
    with pytest.raises(InfraError, match="no room for so many tensors"):
        plan(truth.plain(PHI), node, {"ctx_size": 65536, "parallel": 8, "cache_type_k": "q8_0", "cache_type_v": "q8_0"})
