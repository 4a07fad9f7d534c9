# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.wishes import wishes_from_plain


def test_nothing_asked_leaves_everything_open():
    wishes = wishes_from_plain({})
    assert (wishes.ctx_min, wishes.ctx_max, wishes.gpu_layers, wishes.fixed, wishes.prefer) == (None, None, None, (), "decode")
    assert wishes.allow_cpu and wishes.backend is None and not wishes.placement_is_fixed


@pytest.mark.parametrize(
    "given, message",
    [
        ({"ctx_sise": 1}, "llama_plan: unknown option 'ctx_sise'. Did you mean 'ctx_size'?"),
        ({"zzzz": 1}, "llama_plan: unknown option 'zzzz'. Valid names: allow_cpu, backend"),
        ({"ctx_size": {"minimum": 1}}, "llama_plan.ctx_size: unknown option 'minimum'"),
        ({"ctx_size": {"min": 2, "max": 1}}, "llama_plan.ctx_size: the least is more than the most"),
        ({"ctx_size": [1, 2]}, "llama_plan.ctx_size: not an integer (got [1, 2]"),
        ({"ctx_size": 1 << 31}, "llama_plan.ctx_size: too large (got 2147483648, expected at most 2147483647)"),
        ({"allow_cpu": "no"}, "llama_plan.allow_cpu: not a boolean (got 'no', expected true or false)"),
        ({"prefer": "speed"}, "llama_plan.prefer: not one of the choices"),
        ({"emit": "all"}, "llama_plan.emit: not one of the choices"),
        ({"backend": "cuda"}, "llama_plan.backend: not one of the choices (got 'cuda', expected auto or cuda13 or cuda12"),
        ({"cache_types": ["q8"]}, "llama_plan.cache_types[0]: not one of the choices"),
        ({"cache_types": []}, "llama_plan.cache_types: no type to choose from"),
        ({"reserve_bytes": []}, "llama_plan.reserve_bytes: a number is missing"),
        ({"budget_bytes": [1, "much"]}, "llama_plan.budget_bytes[1]: not an integer"),
        ({"ram_budget_bytes": -1}, "llama_plan.ram_budget_bytes: too small"),
        ({"tensor_split": [1, float("nan")]}, "llama_plan.tensor_split[1]: not a number"),
        ({"tensor_split": "1,inf"}, "llama_plan.tensor_split[1]: too large"),
        ({"tensor_split": [1, -1]}, "llama_plan.tensor_split[1]: too small"),
        ({"node_name": "a\nb"}, "llama_plan.node_name: not a name (got 'a\\nb'"),
        ({"devices": []}, "llama_plan.devices: no GPU to use"),
        ({"cache_types": ["f16"], "cache_type_k": "f16"}, "both cache_types and cache_type_k are given"),
        ({"backend": "cpu", "devices": ["GPU-1"]}, "backend=cpu and devices exclude each other"),
        ({"backend": "cpu", "gpu_layers": 3}, "backend=cpu and gpu_layers exclude each other"),
        ({"backend": "cpu", "allow_cpu": False}, "allow_cpu=false and backend=cpu exclude each other"),
        ({"kv_offload": False, "allow_cpu": False}, "allow_cpu=false and kv_offload=false exclude each other"),
        ({"cpu_moe": True, "allow_cpu": False}, "allow_cpu=false and cpu_moe exclude each other"),
        ({"n_cpu_moe": 1, "allow_cpu": False}, "allow_cpu=false and n_cpu_moe exclude each other"),
    ],
)
def test_a_wish_that_can_not_be_is_one_error(given, message):
    with pytest.raises(InfraError) as error:
        wishes_from_plain(given)
    assert message in str(error.value)
