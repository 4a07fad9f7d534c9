# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._kubernetes.test_classes import SLICES, node

MIB, GIB = 1024**2, 1024**3
CLAIM = {"source": "claim", "claim_name": "models"}


def values(name="one-gpu", **options):
    return helm_values(cases.planned(name), {"model": CLAIM, **options})


def expressions(made):
    (term,) = made["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return {each["key"]: (each["operator"], each.get("values")) for each in term["matchExpressions"]}


def test_the_plan_block_has_the_whole_plan_and_its_digest():
    made = cases.planned("one-gpu")
    block = helm_values(made, {"model": CLAIM})["plan"]
    assert json.loads(block["document"]) == made
    assert block["digest"] == "sha256:" + hashlib.sha256(block["document"].encode()).hexdigest()
    assert (block["schemaVersion"], block["quantization"], block["gpus"]) == (1, "Q4_K_M", ["NVIDIA L4"])
    assert set(made["reasons"]) < set(block["reasons"])


def test_the_server_is_told_what_the_plan_says_and_no_uuid():
    made = cases.planned("one-gpu")
    assert made["server"]["env"]["CUDA_VISIBLE_DEVICES"] == cases.UUIDS[0]
    server = helm_values(made, {"model": CLAIM})["server"]
    assert server["args"] == made["server"]["args"]
    assert server["env"] == {}
    assert (server["apiKey"], server["ui"], server["metrics"], server["logVerbosity"]) == ({"secretName": ""}, False, False, 4)


def test_the_image_in_parts():
    assert values()["image"] == {"repository": "ghcr.io/ggml-org/llama.cpp", "tag": "server-cuda13-b11312", "digest": "", "pullSecrets": []}
    own = values(image=cases.DIGEST, build=11312, image_pull_secrets=["mirror"])["image"]
    assert own == {"repository": "registry.example.com/llama.cpp", "tag": "", "digest": f"sha256:{cases.SHA256}", "pullSecrets": ["mirror"]}
    port = values(image="registry.example.com:5000/llama.cpp:server-b11312")["image"]
    assert (port["repository"], port["tag"]) == ("registry.example.com:5000/llama.cpp", "server-b11312")


def test_memory_is_what_the_plan_counts_and_asked_for_is_granted():
    host = cases.planned("experts-in-ram")["memory"]["host"]
    made = values("experts-in-ram", cpu="16")["resources"]
    limit = int(made["limits"]["memory"])
    assert host["recommended_ram_bytes"] <= limit < host["recommended_ram_bytes"] + MIB
    assert made == {"requests": {"memory": str(limit), "cpu": "16"}, "limits": {"memory": str(limit)}}


def test_less_memory_than_the_server_needs_to_start():
    with pytest.raises(InfraError, match=r"helm_values.memory_limit_bytes: the server would not start \(got 104857600"):
        values("experts-in-ram", memory_limit_bytes=100 * MIB)


def test_the_start_may_take_as_long_as_the_bytes_need():
    size = cases.planned("experts-in-ram")["model"]["size_bytes"]
    startup = values("experts-in-ram", disk_bytes_per_second=10**9)["probes"]["startup"]
    assert (
        startup["periodSeconds"] * (startup["failureThreshold"] - 1) < 120 + 2 * size / 10**9 + 1 <= startup["periodSeconds"] * startup["failureThreshold"] + 1
    )


@pytest.mark.parametrize(
    "name, resource, count, key, expected",
    [
        ("one-gpu", "nvidia.com/gpu", 1, "nvidia.com/gpu.product", ("In", ["NVIDIA-L4"])),
        ("two-gpus", "nvidia.com/gpu", 2, "nvidia.com/gpu.product", ("In", ["NVIDIA-L40S"])),
        ("one-gpu", "nvidia.com/gpu", 1, "nvidia.com/gpu.memory", ("Gt", ["24084"])),
        ("one-gpu", "nvidia.com/gpu", 1, "nvidia.com/cuda.runtime-version.major", ("Gt", ["12"])),
        ("mig", "nvidia.com/mig-2g.20gb", 1, "nvidia.com/mig-2g.20gb.count", ("Gt", ["0"])),
        ("mig", "nvidia.com/mig-2g.20gb", 1, "nvidia.com/gpu.product", ("In", ["NVIDIA-H100-80GB-HBM3"])),
        ("amd", "amd.com/gpu", 1, "amd.com/gpu.product-name", ("In", ["Radeon_RX_7900_XTX"])),
        ("intel", "gpu.intel.com/xe", 1, "gpu.intel.com/product", ("In", ["Arc_B580"])),
        ("unified", "nvidia.com/gpu", 1, "nvidia.com/gpu.product", ("In", ["NVIDIA-GB10"])),
        ("cpu", "", 0, "kubernetes.io/arch", ("In", ["amd64", "arm64"])),
    ],
)
def test_for_any_cluster_nodes_are_chosen_by_the_names_of_gpus(name, resource, count, key, expected):
    made = values(name)
    assert (made["gpu"]["resourceName"], made["gpu"].get("count", 0)) == (resource, count)
    assert expressions(made)[key] == expected
    assert bool(made["tolerations"]) == bool(count)


def test_gb10_has_no_memory_in_its_labels():
    assert "nvidia.com/gpu.memory" not in expressions(values("unified"))


def test_a_class_says_resource_and_labels():
    (l4,) = node_classes([node("l4-shared", "a")], None, {"sharing": "divide"})["classes"]
    model = {**truth.plain("Llama-3.2-3B-Q4_K_M.gguf"), "header_only": False}
    made = helm_values(plan(model, l4["facts"], {"node_name": l4["name"]}), {"model": CLAIM, "node_class": l4})
    assert (made["gpu"]["resourceName"], made["gpu"]["count"]) == (l4["gpu"]["resource_name"], 1)
    assert expressions(made)["nvidia.com/gpu.product"] == ("In", ["NVIDIA-L4-SHARED"])
    assert expressions(made)["nvidia.com/gpu.replicas"] == ("In", ["4"])
    assert any("4 pods share each GPU" in warning for warning in made["plan"]["warnings"])


def test_a_class_with_a_claim():
    found = {each["name"]: each for each in node_classes([node("no-gpu", "dra-a100")], SLICES)["classes"]}
    a100 = found["nvidia-a100-80gb-pcie"]
    one = {**a100["facts"], "devices": a100["facts"]["devices"][:1]}
    made = helm_values(plan({**truth.plain(cases.LLAMA), "header_only": False}, one, {"node_name": "a100"}), {"model": CLAIM, "node_class": a100})
    assert made["gpu"]["resourceName"] == ""
    assert made["gpu"]["claim"] == {"deviceClassName": "gpu.nvidia.com", "selectors": a100["gpu"]["claim"]["selectors"]}


def test_a_model_is_downloaded_with_its_checksums():
    files = [{"url": "https://models.example.com/a%20b/model-00001-of-00002.gguf?download=true", "sha256": cases.SHA256.upper(), "size_bytes": 20 * GIB}]
    files.append({"url": "https://models.example.com/x", "name": "sub/model-00002-of-00002.gguf", "size_bytes": 19 * GIB})
    model = values(model={"files": files, "token_secret": "hf", "storage_class": "fast"})["model"]
    assert model["file"] == "model-00001-of-00002.gguf"
    assert model["download"]["files"] == [
        {"name": "model-00001-of-00002.gguf", "url": files[0]["url"], "sizeBytes": 20 * GIB, "sha256": cases.SHA256},
        {"name": "sub/model-00002-of-00002.gguf", "url": files[1]["url"], "sizeBytes": 19 * GIB, "sha256": None},
    ]
    assert model["download"]["tokenSecret"] == {"name": "hf"}
    assert model["claim"] == {"existing": "", "size": "41Gi", "storageClassName": "fast"}


def test_by_default_the_plan_s_own_addresses():
    made = cases.planned("one-gpu")
    row = {"path": None, "url": "https://hub.example.com/m/resolve/main/m.gguf", "size_bytes": 5 * 10**9, "sha256": cases.SHA256}
    made["model"]["files"] = [row]
    model = helm_values(made, {})["model"]
    assert (model["source"], model["file"]) == ("download", "m.gguf")
    assert model["download"]["files"] == [{"name": "m.gguf", "url": row["url"], "sizeBytes": 5 * 10**9, "sha256": cases.SHA256}]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model": {}}, "helm_values.model: the plan's model is a file on a machine"),
        ({"model": {"source": "claim"}}, "helm_values.model: source=claim needs claim_name"),
        ({"model": {"source": "claim", "claim_name": "a", "size": "4Gi"}}, r"source=claim has no 'size' \(expected 'size' with download\)"),
        ({"model": {"source": "hostPath", "host_path": "models"}}, "helm_values.model.host_path: not the full path of a directory"),
        ({"model": {"files": [{"url": "ftp://a/b"}]}}, r"helm_values.model.files\[0\].url: the address of a file is missing"),
        ({"model": {"files": [{"url": "https://u:p@a/b.gguf"}]}}, "a secret would stand in the values"),
        ({"model": {"files": [{"url": "https://a/b.gguf", "name": "../b.gguf"}]}}, r"files\[0\].name: not the name of a file in a volume"),
        ({"model": {"files": [{"url": "https://a/b.gguf", "sha256": "abc"}]}}, r"files\[0\].sha256: not a SHA-256"),
        ({"image": "ghcr.io/ggml-org/llama.cpp:server"}, "helm_values.image: an image that is not pinned"),
        ({"extra_args": ["--ctx-size", "1"]}, "helm_values.extra_args: the plan decides --ctx-size"),
        ({"extra_args": ["--tools", "all"]}, "lets clients run programs on the host"),
        ({"environment": {"HF_TOKEN": "x"}}, "helm_values.environment.HF_TOKEN: a secret would stand in a file"),
        ({"values": {"plan": {}}}, "helm_values.values.plan: the plan decides this value"),
        ({"values": {"server": {"args": []}}}, "helm_values.values.server.args: the plan decides this value"),
        ({"values": {"gpu": 1}}, r"helm_values.values.gpu: not a dictionary \(got 1"),
        ({"build": 8000}, "llama-server b8000"),
        ({"multi_node": {}}, "helm_values.multi_node: the plan is for one node"),
        ({"replica": 1}, "unknown option 'replica'. Did you mean 'replicas'"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(InfraError, match=message):
        values(**options)


def test_a_plan_that_does_not_fit_or_has_gpus_of_two_kinds():
    with pytest.raises(InfraError, match="the plan does not fit on its node"):
        helm_values({**cases.planned("one-gpu"), "fits": False}, {"model": CLAIM})
    made = cases.planned("two-gpus")
    made["node"]["gpus"][1]["name"] = "NVIDIA L4"
    with pytest.raises(InfraError, match="a pod can't ask for GPUs of two kinds by one resource"):
        helm_values(made, {"model": CLAIM})


def test_values_of_the_user_are_merged_as_helm_does():
    made = values(values={"workload": {"podLabels": {"team": "a"}}, "tolerations": [], "affinity": {}, "ingress": {"enabled": False}})
    assert made["workload"] == {"kind": "Deployment", "replicas": 1, "terminationGracePeriodSeconds": 90, "podLabels": {"team": "a"}}
    assert (made["tolerations"], made["affinity"], made["ingress"]) == ([], {}, {"enabled": False})
