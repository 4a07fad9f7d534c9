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
NODE = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 2**36}


def test_it_answers_what_the_core_does():
    model = truth.plain("Llama-3.1-8B-Q4_K_M.gguf")
    got = FILTER(model, {"a": NODE, "b": NODE}, link_bytes_per_second=1250000000, round_trip_seconds=0.0002, head="b", ctx_size=8192)
    assert got == multi_node_plan(model, {"a": NODE, "b": NODE}, {"ctx_size": 8192}, 1250000000, 0.0002, "b")
    assert got["multi_node"]["head"] == "b"


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="'link_bytes_per_second' is missing"):
        FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {"a": NODE, "b": NODE})
