# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_plan, llama_plans
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

FILTER = llama_plans.FilterModule().filters()["llama_plans"]
PLAN = llama_plan.FilterModule().filters()["llama_plan"]
NODE = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 2**36}


def test_it_answers_as_the_filter_for_one():
    model = truth.plain("Llama-3.1-8B-Q4_K_M.gguf")
    got = FILTER({"a": model, "b": {"error": "no such file"}}, NODE, ctx_size=8192)
    assert got == {"a": PLAN(model, NODE, ctx_size=8192), "b": "no such file"}
    assert FILTER({"a": model}, NODE, got["a"], ctx_size=8192) == {"a": got["a"]}


def test_a_model_that_could_not_be_read_is_an_error_of_the_filter_for_one():
    with pytest.raises(AnsibleError, match="^no such file"):
        PLAN({"error": "no such file"}, NODE)


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="not a dictionary of models"):
        FILTER([], NODE)
