# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_multi_node_plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.plan import multi_node_plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

FILTER = llama_multi_node_plan.FilterModule().filters()["llama_multi_node_plan"]


def deep(levels):
    value = []
    for _level in range(levels):
        value = [value]
    return value


NODE = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 2**36}


def test_it_answers_what_the_core_does():
    model = truth.plain("Llama-3.1-8B-Q4_K_M.gguf")
    got = FILTER(model, {"a": NODE, "b": NODE}, link_bytes_per_second=1250000000, round_trip_seconds=0.0002, head="b", ctx_size=8192)
    assert got == multi_node_plan(model, {"a": NODE, "b": NODE}, {"ctx_size": 8192}, 1250000000, 0.0002, "b")
    assert got["multi_node"]["head"] == "b"


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="'link_bytes_per_second' is missing"):
        FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {"a": NODE, "b": NODE})


@pytest.mark.parametrize("nodes", [None, True, 5, "x", [], {}, {"a": None, "b": None}, {"a": [], "b": 3}, {"a": NODE, "b": {"gpus": NODE}}], ids=str)
def test_what_is_no_nodes_is_one_clear_error(nodes):
    with pytest.raises(AnsibleError, match="nodes"):
        FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), nodes, 1e9, 1e-4)


@pytest.mark.parametrize("value", [True, "much", [], {}, -1, float("nan"), 10**400, deep(40)], ids=lambda value: str(type(value)))
@pytest.mark.parametrize(
    "option", ["link_bytes_per_second", "round_trip_seconds", "head", "ctx_size", "devices", "reserve_bytes", "load_mode", "image", "previous"]
)
def test_any_value_of_an_option_is_an_answer_or_one_error(option, value):
    given = {"link_bytes_per_second": 1e9, "round_trip_seconds": 1e-4, "ctx_size": 4096, option: value}
    try:
        assert FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {"a": NODE, "b": NODE}, **given)["fits"]
    except AnsibleError as error:
        assert option in str(error) or "GPU" in str(error)
