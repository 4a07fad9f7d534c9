# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.plan import multi_node_plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.cases import DIGEST, GLM, planned
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.kubernetes.test_values import CLAIM, expressions

GIB = 1024**3
ASKED = {"image": DIGEST, "accept_unauthenticated": True}


def nodes(*gpus):
    return {f"gpu{number}": {"gpus": [gpu], "ram_bytes": 32 * GIB, "cuda_max": "13.4"} for number, gpu in enumerate(gpus)}


def over(*gpus):
    model = {**truth.plain(GLM), "header_only": False}
    return multi_node_plan(model, nodes(*gpus), {}, 1.25e9, 2e-4, None, None, None)


@pytest.fixture(scope="module")
def alike():
    return over(*({"model": "nvidia-l40s"} for _number in range(3)))


def values(plan, **options):
    return helm_values(plan, {"model": CLAIM, "multi_node": ASKED, "build": 11312, **options})


def test_workers_are_what_the_plan_says(alike):
    workers = alike["multi_node"]["workers"]
    made = values(alike)
    found = made["multiNode"]
    assert len(workers) >= 1
    assert (found["enabled"], found["workers"], found["kind"]) == (True, len(workers), "Auto")
    assert found["image"] == {"repository": "registry.example.com/llama.cpp", "tag": "", "digest": DIGEST.partition("@")[2]}
    assert found["gpu"] == {"resourceName": "nvidia.com/gpu", "count": 1}
    assert found["args"] == workers[0]["args"]
    assert int(found["resources"]["limits"]["memory"]) >= workers[0]["min_ram_bytes"]
    assert expressions(found)["nvidia.com/gpu.product"] == ("In", ["NVIDIA-L40S"])


def test_the_head_is_as_any_server_and_asks_for_its_own_gpus(alike):
    made = values(alike)
    assert made["server"]["args"] == alike["server"]["args"]
    assert "--rpc" not in made["server"]["args"]
    assert made["gpu"]["count"] == len(alike["node"]["gpus"]) == 1
    assert made["image"]["repository"] == "registry.example.com/llama.cpp"
    assert set(alike["multi_node"]["warnings"]) <= set(made["plan"]["warnings"])


def test_a_group_that_starts_anew_together(alike):
    assert values(alike, multi_node={**ASKED, "kind": "LeaderWorkerSet", "command": "/usr/bin/ggml-rpc-server"})["multiNode"]["command"] == [
        "/usr/bin/ggml-rpc-server"
    ]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"image": DIGEST}, "helm_values.multi_node.accept_unauthenticated: the workers know neither passwords nor encryption"),
        ({"accept_unauthenticated": True}, "helm_values.multi_node.image: the image is missing"),
        ({**ASKED, "image": "registry.example.com/llama.cpp:latest"}, "helm_values.multi_node.image: an image that is not pinned"),
        ({**ASKED, "kinds": "StatefulSet"}, "unknown option 'kinds'. Did you mean 'kind'"),
    ],
)
def test_refusals(alike, options, message):
    with pytest.raises(InfraError, match=message):
        values(alike, multi_node=options)


def test_workers_that_differ():
    plan = over({"model": "nvidia-l40s"}, {"model": "nvidia-rtx-4090"}, {"model": "nvidia-l4"})
    assert len(plan["multi_node"]["workers"]) == 2
    with pytest.raises(InfraError, match="helm_values.multi_node: the workers differ, and their pods are made of one template"):
        values(plan)


def test_a_plan_of_one_node_has_none():
    assert "multiNode" not in helm_values(planned("one-gpu"), {"model": CLAIM})
