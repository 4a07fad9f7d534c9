# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects of the chart: rendered by Helm, sent to an API server."""

from __future__ import annotations

import json
import pathlib
import urllib.parse

import yaml
from cluster import Refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "llama-server"
WORKLOADS = ("Deployment", "StatefulSet")


def rendered(programs, values, kube_version="1.35.0", release="llm", namespace="default"):
    """The objects of a file of values, without those of 'helm test'."""
    command = ("helm", "template", release, str(CHART), "--values", str(values), "--namespace", namespace, "--kube-version", kube_version, "--skip-tests")
    answer = programs.run(*command)
    assert answer.returncode == 0, f"{values}: {answer.stderr}"
    return [each for each in yaml.load_all(answer.stdout, yaml.CSafeLoader) if each]


def send(kube, namespace, each, **query):
    """The object as it is after an apply on the server, strictly. Raises Refused."""
    group, _slash, version = each["apiVersion"].rpartition("/")
    kind = each["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    asked = urllib.parse.urlencode({"fieldManager": "tests", "fieldValidation": "Strict", "force": "true", **query})
    path = f"{root}/namespaces/{namespace}/{plural}/{each['metadata']['name']}?{asked}"
    body = {**each, "metadata": {**each["metadata"], "namespace": namespace}}
    status, answer = kube.control_plane.client().ask("PATCH", path, json.dumps(body).encode(), "application/apply-patch+yaml")
    if status >= 300:
        raise Refused(status, json.loads(answer)["message"])
    return json.loads(answer)


def try_pod(kube, namespace, workload):
    """What the API server would say of the pod of a workload: PodSecurity looks at pods alone. Raises Refused."""
    template = workload["spec"]["template"]
    metadata = {"name": "tried", "labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"]}
    templates = workload["spec"].get("volumeClaimTemplates", [])
    claimed = [{"name": each["metadata"]["name"], "persistentVolumeClaim": {"claimName": "any"}} for each in templates]
    # The release's own account need not be there.
    spec = {**template["spec"], "volumes": [*template["spec"]["volumes"], *claimed], "serviceAccountName": "default"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    kube.ask("POST", f"/api/v1/namespaces/{namespace}/pods", body, dryRun="All", fieldValidation="Strict")
