# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects of the chart: rendered by Helm, sent to an API server."""

from __future__ import annotations

import pathlib

import yaml
from kubernetes.dynamic import DynamicClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "llama-server"
MANAGER = "tests"


def rendered(programs, values, kube_version="1.35.0", release="llm", namespace="default"):
    """The objects of a file of values, without those of 'helm test'."""
    command = ("helm", "template", release, str(CHART), "--values", str(values), "--namespace", namespace, "--kube-version", kube_version, "--skip-tests")
    answer = programs.run(*command)
    assert answer.returncode == 0, f"{values}: {answer.stderr}"
    return [each for each in yaml.load_all(answer.stdout, yaml.CSafeLoader) if each]


def send(kube, namespace, each, **query):
    """Apply an object on the server; the warnings that it answers. ApiException where it is refused."""
    each = {**each, "metadata": {**each["metadata"], "namespace": namespace}}
    resource = client(kube).resources.get(api_version=each["apiVersion"], kind=each["kind"])
    path = resource.path(name=each["metadata"]["name"], namespace=namespace)
    parameters = [("fieldManager", MANAGER), ("fieldValidation", "Strict"), ("force", "true"), *query.items()]
    headers = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}
    _data, _status, answered = kube.api.call_api(
        path, "PATCH", query_params=parameters, header_params=headers, body=each, response_type="object", auth_settings=["BearerToken"]
    )
    return answered.get("Warning")


_clients = {}


def client(kube):
    """Finding out which resources there are takes a second: once."""
    return _clients.setdefault(id(kube.api), DynamicClient(kube.api))
