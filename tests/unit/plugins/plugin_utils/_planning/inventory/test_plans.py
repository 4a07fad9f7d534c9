# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.plans import plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.inventory.few_nodes import NODES, ODD


def test_each_model_as_if_it_were_alone(models, others):
    for name in ("small", "large"):
        assert others["l4"][name] == plan(models[name], NODES["l4"], {"node_name": "l4"})
    assert others["l4"][ODD] == "x.gguf: <i>no</i>"


def test_the_plan_that_runs_is_kept_for_its_model(models, others):
    running = {**others["l4"]["small"], "warnings": ["it runs"]}
    got = plans(models, NODES["l4"], {"node_name": "l4"}, running)
    assert got["small"] is running
    assert got["large"] == others["l4"]["large"]


@pytest.mark.parametrize(("node", "wishes", "said"), [({"gpus": 3}, {}, "node.gpus: not a list"), (NODES["l4"], {"ctx": 1}, "unknown option 'ctx'")])
def test_an_error_of_node_or_wishes_is_told_for_each(models, node, wishes, said):
    got = plans(models, node, wishes)
    assert all(said in got[name] for name in ("small", "large"))
    assert got[ODD] == "x.gguf: <i>no</i>"


def test_what_is_no_dictionary_of_models_is_refused():
    with pytest.raises(InfraError, match="not a dictionary of models"):
        plans([], NODES["l4"], {})
