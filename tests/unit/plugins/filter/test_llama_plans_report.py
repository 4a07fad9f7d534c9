# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_plan, llama_plans_report
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

FILTER = llama_plans_report.FilterModule().filters()["llama_plans_report"]
PLAN = llama_plan.FilterModule().filters()["llama_plan"]


def test_it_answers_in_each_format():
    plan = PLAN(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {"ram_bytes": 2**36})
    assert FILTER({"n": plan}).startswith("1 node, 1 model: 1 plan fit.")
    assert FILTER({"n": plan}, format="a.html").startswith("<!DOCTYPE html>")
    found = json.loads(FILTER({"n": None}, "json", others={"n": {"x": plan}}, errors={"m": "gone"}))
    assert [(node["name"], node["error"]) for node in found["nodes"]] == [("n", None), ("m", "gone")]


@pytest.mark.parametrize(("arguments", "said"), [(([],), "input: not a dictionary"), (({}, "pdf"), "format: not a format")])
def test_an_error_of_the_core_is_an_error_of_ansible(arguments, said):
    with pytest.raises(AnsibleError, match=said):
        FILTER(*arguments)
