# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pod's server asked through the real API server's proxy, and its log through a kubelet.

What stands in: a server that speaks llama-server's API and answers what the plan says, and a kubelet that hands out a recorded log. Both listen on an
address of this machine that is not loopback, to which the API server would not connect, and are told to the cluster as the pod's and the node's.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from role_run import ROOT

LOGS = ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_server" / "log" / "fixtures"
KEY = "sesame-open"
DOWNLOAD = {"source": "claim", "claim_name": "models"}


class Handler(BaseHTTPRequestHandler):
    """C(server.pages): path -> value, for those who have the key; its health for all."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.server.asked.append((path, dict(self.headers)))
        if self.server.key and path != "/health" and self.headers.get("X-Api-Key") != self.server.key:
            return self.answer(401, {"error": {"code": 401, "message": "Invalid API Key"}})
        page = self.server.pages.get(path)
        return self.answer(200, page) if page is not None else self.answer(501, {"error": {"code": 501, "message": "off"}})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def answer(self, status, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def listening(address, key=None, certificate=None):
    server = ThreadingHTTPServer((address, 0), Handler)
    server.pages, server.asked, server.key = {}, [], key
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def address():
    """This machine's own address, as its routes have it. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


@pytest.fixture
def server(address):
    with listening(address, KEY) as found:
        yield found


@pytest.fixture
def kubelet(address, tmp_path):
    pem = tmp_path / "kubelet.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=kubelet", "-keyout", str(pem), "-out", f"{pem}.crt"]
    subprocess.run(made, check=True, capture_output=True)
    pem.write_text(pem.read_text() + pathlib.Path(f"{pem}.crt").read_text())
    with listening(address, certificate=str(pem)) as found:
        yield found


@pytest.fixture
def claim(kube, namespace):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    kube.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "models"}, "spec": spec})


def told(kube, namespace, address, kubelet):
    """The pod of the release, with the stand-ins' address as its own and its node's."""
    (pod,) = kube.core.list_namespaced_pod(namespace).items
    set_status(kube, f"/api/v1/namespaces/{namespace}/pods/{pod.metadata.name}", {"podIP": address, "podIPs": [{"ip": address}]})
    node = {"addresses": [{"type": "InternalIP", "address": address}], "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.server_port}}}
    set_status(kube, f"/api/v1/nodes/{pod.spec.node_name}", node)
    return pod


def set_status(kube, path, value):
    status, answer = kube.control_plane.client().ask("PATCH", f"{path}/status", json.dumps({"status": value}).encode(), "application/merge-patch+json")
    assert status == 200, answer


def as_planned(plan, path):
    """The pages of a server that does what its plan says."""
    context = plan["context"]
    return {
        "/health": {"status": "ok"},
        "/props": {
            "total_slots": context["parallel"], "model_path": path, "model_alias": plan["model"]["name"], "build_info": "b11312-0c1e57098",
            "default_generation_settings": {"n_ctx": context["ctx_size"]},
        },
        "/v1/models": {"data": [{"id": "m", "meta": {"n_params": plan["model"]["parameters"]}}]},
        "/v1/chat/completions": {
            "choices": [{"finish_reason": "stop", "message": {"content": "Reykjavik."}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        },
    }  # fmt: skip


def plan_of(kube, namespace):
    return json.loads(kube.core.read_namespaced_config_map("chat-plan", namespace).data["plan.json"])


def test_a_server_with_a_key(role, kube, namespace, claim, server, kubelet, address):
    options = {"port": server.server_port}
    assert role(delivery=DOWNLOAD, api_key=KEY, options=options).status == 0
    pod = told(kube, namespace, address, kubelet)
    plan = plan_of(kube, namespace)
    server.pages = as_planned(plan, "/models/Llama-3.1-8B-Q4_K_M.gguf")

    # The key is read from the Secret that the values name; the kubelet has no log.
    run = role(entry="verify", question="What is the capital of Iceland?")
    assert run.status == 0, run.output
    assert "Reykjavik" not in run.output and KEY not in run.output
    assert {path for path, _headers in server.asked} == {"/health", "/props", "/v1/models", "/metrics", "/v1/chat/completions"}
    assert all(headers.get("X-Api-Key") == KEY for path, headers in server.asked)
    assert "the log could not be read" in run.output

    kubelet.pages[f"/containerLogs/{namespace}/{pod.metadata.name}/server"] = (LOGS / "cuda_no_device.log").read_bytes()
    server.pages["/props"]["default_generation_settings"]["n_ctx"] = 4096
    run = role(entry="verify")
    assert run.status == 2
    assert f"context per slot: planned {plan['context']['ctx_size']}, found 4096" in run.output
    assert "layers on GPUs: planned 33, found 0" in run.output, run.output

    wrong = role(entry="verify", api_key="another")
    assert wrong.status == 2 and "does not accept this API key" in wrong.output


def test_a_server_without_a_key_is_read_and_not_asked(role, kube, namespace, claim, server, kubelet, address):
    assert role(delivery=DOWNLOAD, options={"port": server.server_port}).status == 0
    pod = told(kube, namespace, address, kubelet)
    kubelet.pages[f"/containerLogs/{namespace}/{pod.metadata.name}/server"] = (LOGS / "cuda_no_device.log").read_bytes()
    run = role(entry="verify")
    assert run.status == 2 and "layers on GPUs: planned 33, found 0" in run.output, run.output
    assert "listens on the pod" in run.output and server.asked == []
    asks = role(entry="verify", question="Hello?")
    assert asks.status == 2 and "the question can't be asked" in asks.output


def test_a_pod_that_ended_badly(role, kube, namespace, claim, kubelet, address):
    """Its status is what a kubelet says of a server that stops again and again."""
    assert role(delivery=DOWNLOAD).status == 0
    pod = told(kube, namespace, address, kubelet)
    kubelet.pages[f"/containerLogs/{namespace}/{pod.metadata.name}/server"] = (LOGS / "cuda_out_of_memory.log").read_bytes()
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    status = {
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {
                "name": "server",
                "image": "x",
                "imageID": "x",
                "ready": False,
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": ended,
            }
        ],
    }
    set_status(kube, f"/api/v1/namespaces/{namespace}/pods/{pod.metadata.name}", status)
    run = role(entry="verify")
    assert run.status == 2
    assert "container server ended with exit status 1" in run.output and "too little memory free" in run.output, run.output


def test_a_server_that_was_not_deployed(role):
    run = role(entry="verify")
    assert run.status == 2 and "No server 'chat' was deployed" in run.output
