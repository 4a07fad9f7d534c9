# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module llama_server_info as Ansible runs it on a node."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.prositronic.infra.plugins.modules import llama_server_info as module
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import FIXTURES
from ansible_collections.prositronic.infra.tests.unit.plugins.modules.process import run_module

KEY = "k-secret"
PAGES = {
    "/health": {"status": "ok"},
    "/props": {"total_slots": 2, "model_path": "/m.gguf", "default_generation_settings": {"n_ctx": 1024}},
    "/v1/models": {"data": []},
    "/v1/chat/completions": {
        "choices": [{"finish_reason": "stop", "message": {"content": "Hello."}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    },
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Pages for those who have the key; its health for all."""

    def do_GET(self):
        if self.path != "/health" and self.headers.get("Authorization") != f"Bearer {KEY}":
            status, value = 401, {"error": {"code": 401, "message": "Invalid API Key"}}
        else:
            status, value = (200, PAGES[self.path]) if self.path in PAGES else (501, {"error": {"code": 501, "message": "off"}})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def llama_server_info(**arguments):
    return run_module(module, arguments)


def test_a_server(url, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"# ours\n{KEY}\n")
    result = llama_server_info(url=url, api_key_file=str(keys), _ansible_check_mode=True)
    assert result["changed"] is False
    assert (result["server"]["total_slots"], result["server"]["n_ctx"], result["server"]["answer"]) == (2, 1024, None)
    assert (result["server"]["log"], result["server"]["process"]) == (None, None)
    assert KEY not in json.dumps(result)


def test_a_question(url):
    answer = llama_server_info(url=url, api_key=KEY, ask="Hello?")["server"]["answer"]
    assert (answer["content"], answer["completion_tokens"], answer["predicted_per_second"]) == ("Hello.", 2, None)


@pytest.mark.parametrize("arguments, message", [
    ({}, "does not accept this API key, or needs one"),
    ({"api_key": "other-key", "api_key_file": "/b"}, "mutually exclusive"),
    ({"api_key_file": "/nowhere/keys"}, "/nowhere/keys: the file can't be read"),
    ({"url": "http://127.0.0.1:1"}, "not healthy (got Connection refused"),
    ({"url": "nonsense"}, "not an address of a server"),
])  # fmt: skip
def test_failures_are_one_message(url, arguments, message):
    result = llama_server_info(**{"url": url, **arguments})
    assert result["failed"] and message in result["msg"]


def test_a_log_and_a_process(url):
    server = llama_server_info(url=url, api_key=KEY, log_file=str(FIXTURES / "vulkan.log"), pid=os.getpid())["server"]
    assert (server["log"]["layers"], server["log"]["failure"]) == ({"on_gpu": 5, "total": 5}, None)
    assert server["process"]["rss_bytes"] > 0


def test_a_server_that_does_not_come():
    result = llama_server_info(url="http://127.0.0.1:1", log_file=str(FIXTURES / "out_of_memory_gpu.log"))
    assert result["msg"].endswith("Its log says: GPU Vulkan0 has too little memory free for a buffer of 4.8 GiB.")
    assert result["log"]["problems"][0]["code"] == "out_of_memory"


def test_a_process_that_has_ended_is_not_waited_for():
    result = llama_server_info(url="http://127.0.0.1:1", wait=50, pid=2**22 + 1)
    assert "process 4194305 has ended" in result["msg"] and "log" not in result


def test_two_places_for_a_log_are_refused(url):
    assert "mutually exclusive" in llama_server_info(url=url, log_file="/a", container="b")["msg"]
