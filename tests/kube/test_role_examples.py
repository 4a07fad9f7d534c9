# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The examples that need a cluster, and the playbooks with a cluster beside another host in one inventory."""

from __future__ import annotations

import ast
import json
import re
import sys

import pytest
import role_run
import tools
import yaml
from role_run import HEADER, ROOT


@pytest.fixture
def play(kube, tmp_path):
    """play(*words): ansible-playbook on the cluster."""

    def run(*words, **environment):
        return role_run.ansible(kube.control_plane, tools.programs("helm")["helm"], tmp_path, *words, **environment)

    return run


@pytest.fixture
def inventory(tmp_path, namespace):
    """A cluster, and this machine by the CPU."""
    common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "llama_server_model": str(HEADER)}
    cluster = {
        "llama_server_target": "kubernetes", "llama_server_kubernetes_namespace": namespace, "llama_server_kubernetes_name": "chat",
        "llama_server_kubernetes_delivery": {"source": "claim", "claim_name": "models"}, "llama_server_kubernetes_verify": False,
        "llama_server_kubernetes_ready_timeout": 60,
    }  # fmt: skip
    described = {"llama_server_node": {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 2**36}}
    path = tmp_path / "inventory.json"
    path.write_text(json.dumps({"llama_servers": {"hosts": {"fleet": {**common, **cluster}, "one": {**common, **described}}}}))
    return path


@pytest.fixture
def claim(kube, namespace):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    kube.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "models"}, "spec": spec})


def test_a_cluster_beside_another_host(play, kube, inventory, namespace, claim):
    detected = play("-i", str(inventory), "prositronic.infra.detect")
    assert detected.status == 0 and detected.changed == 0, detected.output
    assert re.search(r"fleet/l4-0000 .*NVIDIA L4", detected.output) and re.search(r'"one ', detected.output)

    planned = play("-i", str(inventory), "prositronic.infra.plan")
    assert planned.status == 0 and planned.changed == 0, planned.output
    assert re.search(r'"fleet/nvidia-l4 .* GPU .* 33/33 ', planned.output) and re.search(r'"one .* GPU .* 33/33 ', planned.output)

    looked = play("-i", str(inventory), "prositronic.infra.deploy", "--check", "--diff")
    assert looked.status == 0 and kube.core.list_namespaced_pod(namespace).items == [], looked.output
    assert play("-i", str(inventory), "prositronic.infra.deploy").status == 0
    (pod,) = kube.core.list_namespaced_pod(namespace).items
    assert pod.metadata.labels["app.kubernetes.io/instance"] == "chat" and pod.status.phase == "Running"
    again = play("-i", str(inventory), "prositronic.infra.site", "--skip-tags", "verify", "--diff")
    assert (again.status, again.changed) == (0, 0), again.output

    # Of a pod that only says that it runs there is no log, which is said.
    verified = play("-i", str(inventory), "prositronic.infra.verify")
    assert verified.status == 0 and "the log could not be read" in verified.output, verified.output
    removed = play("-i", str(inventory), "prositronic.infra.remove")
    assert removed.status == 0 and removed.changed > 0, removed.output
    assert [each.metadata.name for each in kube.core.list_namespaced_persistent_volume_claim(namespace).items] == ["models"]


def test_a_cluster_that_does_not_answer_is_in_the_table(play, inventory, tmp_path):
    (tmp_path / "nowhere").write_text(
        json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"name": "c", "user": {}}],
        })
    )  # fmt: skip
    run = play("-i", str(inventory), "prositronic.infra.plan", KUBECONFIG=str(tmp_path / "nowhere"))
    assert run.status == 2 and re.search(r'"one .* GPU .* 33/33 ', run.output) and "! fleet: " in run.output, run.output


def test_without_an_inventory_it_is_the_current_cluster(play, tmp_path):
    nothing = tmp_path / "hosts"
    nothing.touch()
    words = ("-e", "llama_server_target=kubernetes", "-e", f"ansible_python_interpreter={sys.executable}")
    detected = play("prositronic.infra.detect", *words, ANSIBLE_INVENTORY=str(nothing))
    assert detected.status == 0 and "localhost/l4-0000" in detected.output, detected.output
    planned = play("prositronic.infra.plan", *words, "-e", f"llama_server_model={HEADER}", ANSIBLE_INVENTORY=str(nothing))
    assert planned.status == 0 and "localhost/nvidia-l4" in planned.output, planned.output


def test_the_example_of_the_role_and_those_of_the_modules(role, play, kube, namespace, claim, tmp_path):
    text = (ROOT / "roles" / "llama_server_kubernetes" / "README.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    more = {"llama_server_kubernetes_ready_timeout": 60, "llama_server_kubernetes_api_key": "a key", "llama_server_kubernetes_verify": False}
    plays = yaml.safe_load(example.replace("/models/model.gguf", str(HEADER)).replace("namespace: models", f"namespace: {namespace}"))
    plays[0]["vars"] = {"ansible_python_interpreter": sys.executable, **more}
    (tmp_path / "example.yml").write_text(json.dumps(plays))
    run = play("-i", "localhost,", "example.yml")
    assert run.status == 0, run.output

    tasks = [
        task for name in ("kubernetes_nodes_info", "kubernetes_release_info", "kubernetes_llama_server_info") for task in yaml.safe_load(examples_of(name))
    ]
    for task in tasks:
        for module in (name for name in task if name.startswith("prositronic.infra.") and not name.endswith("_nodes_info")):
            task[module]["namespace"] = namespace
    # The pod only says that it runs: there is no llama-server at its address, which the module says.
    tasks[-2]["ignore_errors"] = True
    last = {"ansible.builtin.assert": {"that": "'/proxy/health' in info.msg"}}
    (tmp_path / "tasks.yml").write_text(
        json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": plays[0]["vars"], "tasks": [*tasks[:-1], last]}])
    )
    run = play("-i", "localhost,", "tasks.yml")
    assert run.status == 0, run.output


def examples_of(module):
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text())
    return next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES")
