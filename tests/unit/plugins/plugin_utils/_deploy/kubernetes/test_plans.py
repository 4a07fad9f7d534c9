# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.plans import kubernetes_plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.cases import GLM, LLAMA
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._kubernetes.test_classes import node

H100, T4 = "nvidia-h100-80gb-hbm3-x8", "tesla-t4"
LARGE = "DeepSeek-V3.1-Q4_K_M.gguf"


def model(header):
    return {**truth.plain(header), "header_only": False}


def classes(*names):
    return node_classes([node(name) for name in names])["classes"]


def gpus(row):
    return len(row["plan"]["node"]["gpus"])


def test_the_smallest_gpus_that_hold_everything_and_as_few_as_do():
    got = kubernetes_plans(model(LLAMA), classes("h100-x8", "gke-t4"), {})
    assert got["chosen"] == [T4]
    rows = {row["name"]: row for row in got["plans"]}
    assert (gpus(rows[H100]), rows[H100]["chosen"], rows[T4]["chosen"]) == (1, False, True)
    assert got["reasons"] == [f"{T4}: the smallest GPUs that hold everything; the model fits on 1 other classes of nodes too."]


def test_the_fastest_and_each():
    both = classes("h100-x8", "gke-t4")
    assert kubernetes_plans(model(LLAMA), both, {"choose": "fastest"})["chosen"] == [H100]
    assert kubernetes_plans(model(LLAMA), both, {"choose": "each"})["chosen"] == [H100, T4]
    assert kubernetes_plans(model(LLAMA), both, {"only": [H100]})["chosen"] == [H100]


def test_more_gpus_where_one_does_not_hold_it():
    (row,) = kubernetes_plans(model(LARGE), classes("h100-x8"), {})["plans"]
    assert (gpus(row), row["plan"]["placement"]["all_on_gpu"]) == (8, True)
    (row,) = kubernetes_plans(model(LLAMA), classes("h100-x8"), {"gpus": 2})["plans"]
    assert gpus(row) == 2


def test_a_class_without_gpus_is_planned_for_its_processor():
    (row,) = kubernetes_plans(model(LLAMA), classes("no-gpu"), {"ctx_size": 8192})["plans"]
    assert (row["plan"]["backend"], row["chosen"], row["plan"]["context"]["ctx_size"]) == ("cpu", True, 8192)


def test_a_plan_is_kept_while_it_is_the_same_question():
    found = classes("h100-x8")
    first = kubernetes_plans(model(LLAMA), found, {})["plans"][0]["plan"]
    marked = {**first, "warnings": ["kept"]}
    again = kubernetes_plans(model(LLAMA), found, {"previous": {H100: marked}})["plans"][0]["plan"]
    other = kubernetes_plans(model(LLAMA), found, {"previous": {H100: marked}, "ctx_size": 4096})["plans"][0]["plan"]
    assert again["warnings"] == ["kept"]
    assert other["warnings"] != ["kept"]


@pytest.mark.parametrize(
    "header, names, options, message",
    [
        (GLM, ("gke-t4",), {}, "the model runs on no class of nodes. tesla-t4: RAM lacks .* GiB"),
        (LLAMA, (), {}, "the model runs on no class of nodes. no node is ready for pods"),
        (LLAMA, ("h100-x8",), {"only": ["nvidia-h100"]}, f"llama_kubernetes_plans.only: no class of nodes has this name .*Did you mean '{H100}'"),
        (LLAMA, ("h100-x8",), {"gpus": 9}, r"llama_kubernetes_plans.gpus: a pod can have 8 GPUs here \(got 9"),
        (LLAMA, ("h100-x8",), {"ctx_siz": 1}, "unknown option 'ctx_siz'. Did you mean 'ctx_size'"),
        (LLAMA, ("h100-x8",), {"choose": "best"}, "llama_kubernetes_plans.choose: not one of the choices"),
    ],
)
def test_errors(header, names, options, message):
    with pytest.raises(InfraError, match=message):
        kubernetes_plans(model(header), classes(*names), options)


def test_classes_that_are_none():
    with pytest.raises(InfraError, match=r"llama_kubernetes_plans\[0\]: not a class of nodes"):
        kubernetes_plans(model(LLAMA), [{"name": "a"}], {})
