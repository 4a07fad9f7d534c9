# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command of the README, as bash runs it: values from a URL to a server in the cluster, and refusals where the URL has something else."""

from __future__ import annotations

import copy
import http.server
import json
import pathlib
import shutil
import threading

import gpu_nodes
import pytest
import yaml
from kubernetes import client
from values import PRODUCT, values

ROOT = pathlib.Path(__file__).parents[2]
PATH = "/values/llama-3.1-8b/Q4_K_M/l4.yaml"
OTHERS = "test-"
NOT_FOUND = "<!DOCTYPE html>\n<html>\n<head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n"


class Web:
    """Stands in for the server of values: one page, and 404 for every other."""

    def __init__(self):
        self.body: bytes | None = None
        self.asked: list[str] = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(f"{self.command} {self.path.partition('?')[0]}")
                found = self.path.partition("?")[0] == PATH and web.body is not None
                body = web.body if found else NOT_FOUND.encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_what):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}{PATH}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def web():
    found = Web()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def checkout(tmp_path):
    """What helmfile needs of the collection's folder, and nothing that is its own."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(ROOT / "helmfile.yaml.gotmpl", folder)
    shutil.copytree(ROOT / "charts", folder / "charts")
    return folder


class Helmfile:
    """Runs it in the checkout, against the control plane."""

    def __init__(self, programs, checkout, url):
        self.programs, self.checkout, self.url = programs, checkout, url

    def typed(self, command):
        """As somebody types it into bash."""
        return self.programs.run("bash", "-c", command, cwd=self.checkout)

    def apply(self):
        return self.typed(f"helmfile --state-values-file <(curl -s {self.url}) apply")

    def releases(self):
        """Those of other tests are in namespaces of theirs."""
        done = self.programs.run("helm", "list", "--all", "--all-namespaces", "--output", "json")
        assert done.returncode == 0, done.stderr
        return [each for each in json.loads(done.stdout) if not each["namespace"].startswith(OTHERS)]


@pytest.fixture
def helmfile(on_cluster, kube, checkout, web):
    made = Helmfile(on_cluster, checkout, web.url)
    assert made.releases() == []
    yield made
    for release in made.releases():
        made.programs.run("helm", "uninstall", release["name"], "--namespace", release["namespace"], "--wait")
        kube.core.delete_collection_namespaced_persistent_volume_claim(release["namespace"])


def namespaces_of(kube):
    return {each.metadata.name for each in kube.core.list_namespace().items if not each.metadata.name.startswith(OTHERS)}


def served(web, **changes):
    web.body = yaml.safe_dump(values(**changes), sort_keys=False).encode()


def versions(kube, namespace):
    """Of every object that a release may have, the version that the API server has stored."""
    found = {}
    for path in (
        "/api/v1/namespaces/{}/configmaps", "/api/v1/namespaces/{}/persistentvolumeclaims", "/api/v1/namespaces/{}/serviceaccounts",
        "/api/v1/namespaces/{}/secrets", "/apis/apps/v1/namespaces/{}/deployments", "/apis/apps/v1/namespaces/{}/statefulsets",
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies", "/api/v1/namespaces/{}/services", "/api/v1/namespaces/{}/pods",
    ):  # fmt: skip
        for each in kube.ask("GET", path.format(namespace))["items"]:
            found[path.rpartition("/")[2], each["metadata"]["name"]] = (each["metadata"]["uid"], each["metadata"]["resourceVersion"])
    return found


def test_the_command_installs_and_a_second_time_changes_nothing(helmfile, kube, web):
    served(web)
    done = helmfile.apply()
    assert done.returncode == 0, done.stdout + done.stderr
    (release,) = helmfile.releases()
    assert (release["status"], release["revision"]) == ("deployed", "1")
    pods = kube.core.list_namespaced_pod(release["namespace"]).items
    (pod,) = pods
    node = kube.core.read_node(pod.spec.node_name)
    assert pod.status.phase == "Running"
    assert node.metadata.labels[gpu_nodes.CLASS] == "l4" and node.metadata.labels["nvidia.com/gpu.product"] == PRODUCT
    assert "--ctx-size" in pod.spec.containers[0].args

    before = versions(kube, release["namespace"])
    again = helmfile.apply()
    assert again.returncode == 0, again.stdout + again.stderr
    assert versions(kube, release["namespace"]) == before
    assert helmfile.releases() == [release]


def test_another_plan_is_a_new_revision(helmfile, kube, web):
    served(web)
    assert helmfile.apply().returncode == 0
    served(web, server={"args": ["--ctx-size", "16384", "--n-gpu-layers", "33"]})
    done = helmfile.apply()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16384" in done.stdout
    (release,) = helmfile.releases()
    assert release["revision"] == "2"
    (deployment,) = client.AppsV1Api(kube.api).list_namespaced_deployment(release["namespace"]).items
    assert "16384" in deployment.spec.template.spec.containers[0].args


def test_helmfile_fetches_the_url_itself(helmfile, web):
    served(web)
    done = helmfile.typed(f"helmfile --state-values-file {web.url} apply")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"GET {PATH}" in web.asked
    (release,) = helmfile.releases()
    assert release["status"] == "deployed"


def wrong_version():
    plan = {**values()["plan"], "schemaVersion": 2}
    return values(plan=plan)


def without(*path):
    made = copy.deepcopy(values())
    within = made
    for key in path[:-1]:
        within = within[key]
    del within[path[-1]]
    return made


WRONG = {
    "an empty answer": ("", "plan"),
    "an empty document": ("---\n", "plan"),
    "an error page": (NOT_FOUND, "404 Not Found"),
    "another page": ("<html><body>Please log in to the network.</body></html>\n", "cannot unmarshal"),
    "text": ("Not Found\n", "cannot unmarshal"),
    "a list": ("- plan\n", "cannot unmarshal"),
    "no plan": (without("plan"), "plan"),
    "a version that is not known": (wrong_version(), "schemaVersion"),
    "no version": (without("plan", "schemaVersion"), "schemaVersion"),
    "no digest": (without("plan", "digest"), "digest"),
    "no document": (without("plan", "document"), "document"),
    "no image": (without("image", "repository"), "repository"),
    "no tag": (without("image", "tag"), "tag"),
    "no file": (without("model", "file"), "file"),
    "no source": (without("model", "source"), "source"),
    "no memory": (without("resources", "limits"), "limits"),
    "an unknown key": (values(gpus={"count": 1}), "gpus"),
    "a plan that was changed": (values(plan={**values()["plan"], "document": "{}\n"}), "digest"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_plan_is_refused_and_nothing_is_applied(helmfile, kube, web, what):
    body, told = WRONG[what]
    web.body = (body if isinstance(body, str) else yaml.safe_dump(body, sort_keys=False)).encode()
    before = namespaces_of(kube)
    done = helmfile.apply()
    assert done.returncode not in (0, 2), done.stdout
    # Not one of Go's own, which name a line of a template and no remedy.
    assert told in done.stderr and "nil pointer" not in done.stderr and "panic" not in done.stderr, done.stderr
    assert helmfile.releases() == []
    assert namespaces_of(kube) == before


def test_an_address_that_is_not_there_is_refused(helmfile, web):
    """404, which curl -s does not take for an error: the page itself has to be refused. helmfile takes it for one."""
    for command in (f"helmfile --state-values-file <(curl -s {web.url}x) apply", f"helmfile --state-values-file {web.url}x apply"):
        done = helmfile.typed(command)
        assert done.returncode not in (0, 2), done.stdout
        assert helmfile.releases() == []
    assert "404" in done.stderr


def test_a_server_that_is_away_is_refused(helmfile, web):
    web.server.shutdown()
    web.server.server_close()
    done = helmfile.apply()
    assert done.returncode not in (0, 2), done.stdout
    assert "plan" in done.stderr
    assert helmfile.releases() == []


@pytest.mark.parametrize("command", ["helmfile --state-values-file <(curl -s {url}) destroy", "helm uninstall {name} --namespace {namespace} --wait"])
def test_what_was_downloaded_outlives_the_release(helmfile, kube, web, command):
    served(web)
    assert helmfile.apply().returncode == 0
    (release,) = helmfile.releases()
    (claim,) = kube.core.list_namespaced_persistent_volume_claim(release["namespace"]).items
    done = helmfile.typed(command.format(url=web.url, **release))
    assert done.returncode == 0, done.stdout + done.stderr
    assert helmfile.releases() == []
    (kept,) = kube.core.list_namespaced_persistent_volume_claim(release["namespace"]).items
    assert (kept.metadata.uid, kept.status.phase, kept.metadata.deletion_timestamp) == (claim.metadata.uid, "Bound", None)
    # The next installation takes it again.
    again = helmfile.apply()
    assert again.returncode == 0, again.stdout + again.stderr
    (taken,) = kube.core.list_namespaced_persistent_volume_claim(release["namespace"]).items
    assert taken.metadata.uid == claim.metadata.uid


def test_the_folder_of_the_checkout_is_left_alone(helmfile, web, checkout):
    served(web)
    before = sorted(path.relative_to(checkout) for path in checkout.rglob("*"))
    assert helmfile.apply().returncode == 0
    assert sorted(path.relative_to(checkout) for path in checkout.rglob("*")) == before
