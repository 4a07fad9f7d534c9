# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.plans import kubernetes_plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.cases import DIGEST, GLM
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.kubernetes.test_plans import model
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.kubernetes.test_values import CLAIM
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._kubernetes.test_classes import node

NETWORK = {"link_bytes_per_second": 1.25e9, "round_trip_seconds": 2e-4}


@pytest.fixture(scope="module")
def classes():
    """Three nodes with two B60 each, and one with a T4."""
    return node_classes([*(node("b60", f"b60-{number}") for number in range(3)), node("gke-t4")])["classes"]


def planned(classes, **given):
    return kubernetes_plans(model(GLM), classes, {"multi_node": {**NETWORK, **given}})


def test_the_class_with_most_memory_and_as_few_of_its_nodes_as_hold_it(classes):
    got = planned(classes)
    (row,) = got["plans"]
    assert got["chosen"] == [row["name"]] == ["intel-r-arc-tm-pro-b60-graphics-x2"]
    assert len(row["plan"]["multi_node"]["workers"]) == 1
    assert got["reasons"] == row["plan"]["multi_node"]["reasons"]
    assert row["plan"]["placement"]["all_on_gpu"]


def test_its_values_have_workers_that_ask_for_the_class(classes):
    (row,) = planned(classes)["plans"]
    asked = {"image": DIGEST, "accept_unauthenticated": True}
    values = helm_values(row["plan"], {"model": CLAIM, "node_class": row["node_class"], "multi_node": asked, "build": 11312})
    assert (values["gpu"]["count"], values["multiNode"]["gpu"]) == (2, {"resourceName": "gpu.intel.com/xe", "count": 2})
    assert values["multiNode"]["affinity"] == values["affinity"]


def test_a_plan_is_kept(classes):
    (row,) = planned(classes)["plans"]
    marked = {**row["plan"], "warnings": ["kept"]}
    (again,) = kubernetes_plans(model(GLM), classes, {"multi_node": NETWORK, "previous": {row["name"]: marked}})["plans"]
    assert again["plan"]["warnings"] == ["kept"]


@pytest.mark.parametrize(
    "given, message",
    [
        ({"node_class": "tesla-t4"}, r"llama_kubernetes_plans.multi_node.node_class: a model over several nodes needs several \(got tesla-t4 with 1 nodes"),
        ({"node_class": "tesla"}, "llama_kubernetes_plans.multi_node.node_class: no class of nodes has this name .*Did you mean 'tesla-t4'"),
        ({"nodes": 1}, "llama_kubernetes_plans.multi_node.nodes: too small"),
        ({"link": 1}, "unknown option 'link'"),
        ({"link_bytes_per_second": None}, "link_bytes_per_second"),
    ],
)
def test_errors(classes, given, message):
    with pytest.raises(InfraError, match=message):
        planned(classes, **given)
