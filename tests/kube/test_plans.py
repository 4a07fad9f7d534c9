# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The chart with the values of hundreds of plans: as Helm renders it, as schemas of the oldest and newest Kubernetes take it, as an API server does."""

from __future__ import annotations

import json

import kubernetes_validate
import pytest
import yaml
from cluster import Refused
from objects import WORKLOADS, rendered, send, try_pod
from variants import DIGEST, GIB, HEADERS, variants

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.plan import multi_node_plan

VERSIONS = ("1.29", "1.37")
"""The oldest that the chart takes and the newest whose schemas there are. Image volumes are newer than the former."""

LEAST = 200


@pytest.fixture(scope="module")
def every(programs, tmp_path_factory, note):
    """{name: (values file, objects)} of each variant."""
    directory = tmp_path_factory.mktemp("values")
    found = {}
    for number, (name, values) in enumerate(variants()):
        path = directory / f"{number}.yaml"
        path.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False))
        kube = "1.35.0" if values["model"]["source"] == "image" else "1.29.0"
        found[name] = (path, values, rendered(programs, path, kube, release=f"plan-{number}"))
    note(f"chart: {len(found)} plans, {sum(len(objects) for _path, _values, objects in found.values())} objects")
    return found


def test_there_are_hundreds(every):
    assert len(every) >= LEAST
    kinds = {each["kind"] for _path, _values, objects in every.values() for each in objects}
    assert kinds >= {
        "Deployment",
        "StatefulSet",
        "Service",
        "ConfigMap",
        "PersistentVolumeClaim",
        "NetworkPolicy",
        "Ingress",
        "HTTPRoute",
        "PodMonitor",
        "ScaledObject",
    }


def test_lint(every, programs):
    """One of each combination: what lint says depends on the values' shape, not on their numbers."""
    shapes = {name.partition(", ")[2]: path for name, (path, _values, _objects) in every.items()}
    assert len(shapes) > 40
    for shape, path in shapes.items():
        # helm lint renders for the newest Kubernetes that it knows.
        answer = programs.run("helm", "lint", "--strict", "--kube-version", "1.35.0", "--values", str(path), "charts/llama-server")
        assert answer.returncode == 0, f"{shape}: {answer.stdout}{answer.stderr}"


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas(every, version, note):
    seen = set()
    for name, (_path, values, objects) in every.items():
        if version == VERSIONS[0] and values["model"]["source"] == "image":
            continue
        for each in objects:
            if each["apiVersion"].partition("/")[0] in ("gateway.networking.k8s.io", "monitoring.coreos.com", "keda.sh"):
                continue  # the API server has their definitions
            text = json.dumps(each)
            if text in seen:
                continue
            seen.add(text)
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                pytest.fail(f"{name}: {each['kind']}: {error}")
    note(f"chart: {len(seen)} objects, all different, are valid in Kubernetes {version}, strictly")
    assert len(seen) > 2 * LEAST


def test_an_api_server_would_take_them(every, kube, namespace, note):
    """Nothing is made: strict, on the server, all of them; the namespace takes no pod that isn't restricted, and a directory of the node isn't."""
    made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}, "handler": "nvidia"}
    kube.ask("POST", "/apis/node.k8s.io/v1/runtimeclasses", made)
    taken = 0
    for _path, values, objects in every.values():
        for each in objects:
            send(kube, namespace, each, dryRun="All")
            taken += 1
        (workload,) = (each for each in objects if each["kind"] in WORKLOADS)
        if values["model"]["source"] == "hostPath":
            with pytest.raises(Refused, match='violates PodSecurity "restricted:latest": restricted volume types [(]volume "model" uses restricted'):
                try_pod(kube, namespace, workload)
        else:
            try_pod(kube, namespace, workload)
    note(f"chart: the API server would take {taken} objects, and {len(every)} pods")


def test_applied_a_second_time_nothing_changes(every, kube, namespace, note):
    """All of them beside one another, each twice: the API server counts what somebody wants of an object otherwise than before."""
    applied = 0
    for name, (_path, _values, objects) in every.items():
        for each in objects:
            first, second = (send(kube, namespace, each)["metadata"] for _time in range(2))
            assert first.get("generation") == second.get("generation"), f"{name}: {each['kind']}"
            assert first["managedFields"][0] == second["managedFields"][0], f"{name}: {each['kind']}"
            applied += 1
    note(f"chart: {applied} objects were applied, and a second time nothing changed")


@pytest.mark.parametrize("kind", ["StatefulSet", "LeaderWorkerSet"])
def test_a_model_over_several_nodes(programs, kube, namespace, tmp_path, kind):
    model = {**read_model(str(HEADERS / "GLM-4.5-Air-Q4_K_M.gguf")), "header_only": False}
    nodes = {f"gpu{number}": {"gpus": [{"model": "nvidia-l40s"}], "ram_bytes": 64 * GIB, "cuda_max": "13.4"} for number in range(3)}
    made = multi_node_plan(model, nodes, {}, 1.25e9, 2e-4, None, None, None)
    asked = {"image": DIGEST, "kind": kind, "accept_unauthenticated": True}
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(helm_values(made, {"model": {"source": "claim", "claim_name": "models"}, "multi_node": asked, "build": 11312})))
    objects = rendered(programs, path)
    assert kind in {each["kind"] for each in objects}
    for each in objects:
        send(kube, namespace, each, dryRun="All")


def test_what_a_pod_is_told_is_what_the_plan_says(every):
    for name, (_path, values, objects) in every.items():
        (workload,) = (each for each in objects if each["kind"] in WORKLOADS)
        made = json.loads(values["plan"]["document"])
        pod = workload["spec"]["template"]["spec"]
        (server,) = pod["containers"]
        for argument in values["server"]["args"] + values["server"]["extraArgs"]:
            assert argument in server["args"], f"{name}: {argument}"
        count = len(made["node"]["gpus"])
        limits = {key: value for key, value in server["resources"]["limits"].items() if "/" in key}
        assert list(limits.values()) == ([str(count)] if count else []), name
        assert int(server["resources"]["limits"]["memory"]) >= made["memory"]["host"]["recommended_ram_bytes"], name
        (config,) = (each for each in objects if each["kind"] == "ConfigMap" and each["metadata"]["name"].endswith("-plan"))
        assert json.loads(config["data"]["plan.json"]) == made, name
        assert workload["metadata"]["annotations"]["prositronic.eu/plan-digest"] == values["plan"]["digest"], name
