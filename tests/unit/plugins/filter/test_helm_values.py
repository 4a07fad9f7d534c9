# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import helm_values, kubernetes_node_classes, llama_kubernetes_plans
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._kubernetes.test_classes import node

CLASSES = kubernetes_node_classes.FilterModule().filters()["kubernetes_node_classes"]
PLANS = llama_kubernetes_plans.FilterModule().filters()["llama_kubernetes_plans"]
VALUES = helm_values.FilterModule().filters()["helm_values"]


def test_from_nodes_to_values():
    model = {**truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), "header_only": False}
    found = CLASSES([node("h100-x8", "a")])["classes"]
    (row,) = PLANS(model, found, ctx_size=8192)["plans"]
    made = VALUES(row["plan"], node_class=row["node_class"], model={"source": "claim", "claim_name": "models"})
    assert (row["plan"]["context"]["ctx_size"], made["gpu"]["count"]) == (8192, 1)
    assert made["plan"]["model"].startswith("Llama-3.1-8B")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: CLASSES({}), "nodes: not a list of nodes"),
        (lambda: PLANS({}, {}), "llama_kubernetes_plans: not a list of classes"),
        (lambda: VALUES({}), "helm_values: not a plan"),
    ],
)
def test_an_error_of_the_core_is_an_error_of_ansible(call, message):
    with pytest.raises(AnsibleError, match=message):
        call()
