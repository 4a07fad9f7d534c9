# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client and the questions, against a real HTTP server on this machine."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Client, NotReachable, first_key
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import ask, server_info, wait_healthy

KEY = "k-secret"
# As answered by llama.cpp build 11549, shortened.
PROPS = {
    "default_generation_settings": {"params": {"temperature": 0.8}, "n_ctx": 4096},
    "total_slots": 4, "model_alias": "tiny", "model_ftype": "F16", "model_path": "/models/tiny.gguf",
    "modalities": {"vision": False}, "endpoint_slots": True, "endpoint_props": False, "endpoint_metrics": False,
    "chat_template": "{{ messages }}", "build_info": "b11549-0c1e57098", "is_sleeping": False,
}  # fmt: skip
MODELS = {"data": [{"id": "tiny", "meta": {"n_ctx_train": 4096, "n_params": 4722944, "size": 9450496, "n_vocab": 260}}]}
NO_METRICS = {"error": {"code": 501, "message": "This server does not support metrics endpoint.", "type": "not_supported_error"}}
LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
METRICS = """# HELP llamacpp:tokens_predicted_total Number of generation tokens processed.
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 24
llamacpp:spec_decode_per_pos_total{position="0"} 3
"""


@pytest.fixture
def server():
    """A server whose answers a test may change: path -> (status, body)."""
    answers = {
        "/health": (200, {"status": "ok"}),
        "/props": (200, PROPS),
        "/v1/models": (200, MODELS),
        "/metrics": (501, NO_METRICS),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer()

        def do_POST(self):
            self.server.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer()

        def answer(self):
            status, body = answers.get(self.path, (404, "no such page"))
            if self.server.key and self.path != "/health" and self.headers.get("Authorization") != f"Bearer {self.server.key}":
                status, body = 401, {"error": {"message": "Invalid API Key", "code": 401}}
            self.send_response(status)
            self.end_headers()
            self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.key = None
    httpd.answers = answers
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def closed_url():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_server_as_a_plain_dictionary(server):
    info = server_info(Client(server.url))
    assert (info["healthy"], info["total_slots"], info["n_ctx"], info["chat_template"]) == (True, 4, 4096, True)
    assert (info["model_path"], info["model_alias"], info["model_ftype"]) == ("/models/tiny.gguf", "tiny", "F16")
    assert info["models"] == [{"id": "tiny", "n_ctx_train": 4096, "parameters": 4722944, "tensors_bytes": 9450496, "vocab_size": 260}]
    assert info["endpoints"] == {"slots": True, "props": False, "metrics": False}
    assert info["metrics"] is None
    assert json.loads(json.dumps(info)) == info


def test_metrics_are_numbers_by_name(server):
    server.answers["/metrics"] = (200, METRICS)
    assert server_info(Client(server.url))["metrics"] == {"llamacpp:tokens_predicted_total": 24.0}


def test_the_key_is_sent_and_never_shown(server):
    server.key = KEY
    assert server_info(Client(server.url, KEY))["total_slots"] == 4
    with pytest.raises(InfraError, match="does not accept this API key, or needs one") as caught:
        server_info(Client(server.url, "other-secret"))
    assert "other-secret" not in str(caught.value)


def test_health_needs_no_key(server):
    server.key = KEY
    wait_healthy(Client(server.url), 0)


def test_nothing_listens(closed_url):
    with pytest.raises(NotReachable, match=r"no server answers \(got Connection refused\)"):
        Client(closed_url).get("/health")
    with pytest.raises(InfraError, match="not healthy .got Connection refused, expected a healthy server within 0 seconds"):
        wait_healthy(Client(closed_url), 0)


def test_the_last_state_is_told_when_loading_takes_too_long(server):
    server.answers["/health"] = (503, LOADING)
    with pytest.raises(InfraError, match="HTTP 503: 'Loading model'"):
        wait_healthy(Client(server.url), 1)


def test_waiting_ends_as_soon_as_the_model_is_loaded(server):
    server.answers["/health"] = (503, LOADING)
    timer = threading.Timer(0.3, server.answers.update, [{"/health": (200, {"status": "ok"})}])
    timer.start()
    wait_healthy(Client(server.url), 30)
    timer.join()


def test_waiting_ends_when_it_is_of_no_use(closed_url):
    def gone():
        raise InfraError("the process ended")

    with pytest.raises(InfraError, match="the process ended"):
        wait_healthy(Client(closed_url), 3600, gone)


@pytest.mark.parametrize("health", [(200, "<html>hello</html>"), (200, "[]"), (200, {"status": "fine"}), (404, "no such page")])
def test_another_kind_of_server(server, health):
    server.answers["/health"] = health
    with pytest.raises(InfraError, match="does not answer like llama-server"):
        wait_healthy(Client(server.url), 60)


def test_props_that_are_no_json(server):
    server.answers["/props"] = (200, "<html>")
    with pytest.raises(InfraError, match="a JSON object"):
        server_info(Client(server.url))


def test_one_question(server):
    server.answers["/v1/chat/completions"] = (200, {
        "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "Y}A"}}],
        "usage": {"prompt_tokens": 26, "completion_tokens": 3},
        "timings": {"prompt_n": 25, "prompt_per_second": 193.6, "predicted_per_second": 1352.2},
    })  # fmt: skip
    assert ask(Client(server.url), "Hello?", 3, 10) == {
        "content": "Y}A", "finish_reason": "length", "prompt_tokens": 26, "prompt_tokens_processed": 25, "completion_tokens": 3,
        "prompt_per_second": 193.6, "predicted_per_second": 1352.2,
    }  # fmt: skip
    assert server.asked == {"messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 3}


def test_a_question_that_gets_no_answer(server):
    server.answers["/v1/chat/completions"] = (200, {"choices": []})
    with pytest.raises(InfraError, match="not a chat completion"):
        ask(Client(server.url), "Hello?", 3, 10)


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "http://127.0.0.1", "ftp://host:21", "http://host:x", "http://:8080", "http://host:80/?a=b"])
def test_addresses_that_are_refused(url):
    with pytest.raises(InfraError, match="not an address of a server"):
        Client(url)


def test_an_address_with_a_password_is_refused_and_not_shown():
    with pytest.raises(InfraError) as caught:
        Client("http://me:hunter2@host:8080")
    assert "hunter2" not in str(caught.value)


def test_a_proxy_is_not_asked(server, monkeypatch, closed_url):
    monkeypatch.setenv("http_proxy", closed_url)
    wait_healthy(Client(server.url), 0)


def test_the_first_key_of_a_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# ours\n\nfirst\nsecond\n")
    assert first_key(path) == "first"
    path.write_text("# none\n")
    with pytest.raises(InfraError, match="holds no API key"):
        first_key(path)
    with pytest.raises(InfraError, match="No such file"):
        first_key(tmp_path / "missing")
