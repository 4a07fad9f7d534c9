# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting, restarting and stopping with the real supervisor and real processes."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server import processes
from ansible_collections.prositronic.infra.plugins.module_utils._server.ensure import ensure
from ansible_collections.prositronic.infra.plugins.module_utils._server.instance import Instance, Wanted, fingerprint

SUPERVISOR = Path(__file__).parents[5] / "roles" / "llama_server" / "files" / "embedded" / "supervisor.py"
# A stand-in for llama-server: /health on the port it is given, after a while.
SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"status": "ok"}')
print("serving", flush=True)
time.sleep(float(sys.argv[2]))
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def run_command(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def instance(tmp_path):
    made = Instance(tmp_path / "server")
    yield made
    made.stop()


def wanted(*command, **more):
    options = {"env": {}, "files": [], "stop_timeout": 5, "supervisor": str(SUPERVISOR), **more}
    return Wanted(command=command or (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"), **options)


def bring(instance, state="started", want=None, check_mode=False):
    return ensure(instance, state, want or wanted(), check_mode, sys.executable, run_command)


def child(instance):
    return instance.state()["child_pid"]


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_started_once(instance):
    first = bring(instance)
    assert (first.changed, first.reasons, first.after["status"]) == (True, ["it does not run"], "started")
    pid = child(instance)
    assert os.getsid(pid) == os.getsid(instance.pid()) != os.getsid(0)
    assert (instance.directory / "server.pid").read_text() == f"{instance.pid()}\n"
    assert instance.directory.stat().st_mode & 0o077 == 0

    second = bring(instance)
    assert (second.changed, second.reasons, child(instance)) == (False, [], pid)


def test_check_mode_says_what_a_run_does_and_touches_nothing(instance):
    predicted = bring(instance, check_mode=True)
    assert predicted.changed
    assert not instance.directory.exists()
    assert bring(instance).after == predicted.after
    assert not bring(instance, check_mode=True).changed
    assert bring(instance, "restarted", check_mode=True).changed
    assert bring(instance, "absent", check_mode=True).changed
    assert instance.supervisor_runs()


def test_another_command_is_a_restart_and_is_shown(instance):
    bring(instance)
    before = child(instance)
    outcome = bring(instance, want=wanted(sys.executable, "-c", "import time; time.sleep(500)"))
    assert outcome.reasons == ["changed: command"]
    assert outcome.before["command"] != outcome.after["command"]
    assert child(instance) != before
    assert processes.start_time(before) is None


def test_a_changed_file_is_a_restart_and_its_digest_is_not_shown(instance, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("one\n")
    want = wanted(files=[str(keys)])
    bring(instance, want=want)
    keys.write_text("two\n")
    outcome = bring(instance, want=want)
    assert outcome.reasons == [f"changed: {keys}"]
    assert outcome.after["files"][str(keys)] == "changed"
    assert fingerprint(keys)[10:] not in str(outcome)
    assert not bring(instance, want=want).changed


def test_a_big_file_counts_by_size_and_time(tmp_path):
    model = tmp_path / "model"
    model.write_bytes(b"x" * (2 << 20))
    first = fingerprint(model)
    assert first == fingerprint(model)
    os.utime(model, ns=(1, 1))
    assert fingerprint(model) != first
    assert fingerprint(tmp_path / "none") == "missing"


def test_restarted_is_always_a_change(instance):
    bring(instance)
    before = child(instance)
    assert bring(instance, "restarted").reasons == ["a restart was asked for"]
    assert child(instance) != before


def test_a_killed_command_is_started_again_by_the_supervisor(instance):
    bring(instance)
    before = child(instance)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: child(instance) not in (None, before))
    assert instance.state()["ends"] == 1
    assert "signal 9" in instance.state()["reason"]
    assert not bring(instance).changed


def test_a_killed_supervisor_takes_its_command_with_it_and_is_repaired(instance):
    bring(instance)
    before = child(instance)
    os.kill(instance.pid(), signal.SIGKILL)
    wait_for(lambda: processes.start_time(before) is None)
    assert instance.status() == "stopped"
    assert (instance.directory / "server.pid").exists()
    assert bring(instance).reasons == ["it does not run"]
    assert instance.supervisor_runs()


def test_a_reused_pid_is_not_taken_for_the_server(instance):
    bring(instance)
    instance.stop()
    state = instance.directory / "state.json"
    state.write_text(state.read_text().replace(str(instance.state()["pid"]), str(os.getpid())))
    assert instance.state()["pid"] == os.getpid()
    assert instance.status() == "stopped"
    assert bring(instance, "stopped").changed is False


def test_damaged_state_means_that_nothing_is_known_to_run(instance):
    instance.directory.mkdir()
    (instance.directory / "state.json").write_text('{"pid"')
    assert bring(instance).changed


def test_stopped_keeps_the_log_and_absent_nothing(instance):
    bring(instance)
    pids = [instance.pid(), child(instance)]
    assert bring(instance, "stopped").changed
    assert [processes.start_time(pid) for pid in pids] == [None, None]
    assert "stopped" in (instance.directory / "server.log").read_text()
    assert not (instance.directory / "server.pid").exists()
    assert not bring(instance, "stopped").changed
    assert bring(instance, "absent").changed
    assert not instance.directory.exists()
    assert not bring(instance, "absent").changed


def test_absent_leaves_what_is_not_the_servers(instance):
    bring(instance)
    (instance.directory / "notes").write_text("mine")
    with pytest.raises(InfraError, match="got notes"):
        bring(instance, "absent")
    assert (instance.directory / "notes").read_text() == "mine"


def test_a_command_that_ignores_sigterm_is_killed(instance):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    bring(instance, want=wanted(sys.executable, "-c", stubborn, stop_timeout=1))
    wait_for(lambda: "ready" in (instance.directory / "server.log").read_text())
    pid = child(instance)
    bring(instance, "stopped")
    assert processes.start_time(pid) is None
    assert "did not stop in 1 seconds and is killed" in (instance.directory / "server.log").read_text()


def test_a_program_that_is_not_there(instance):
    with pytest.raises(InfraError, match="No such file or directory"):
        bring(instance, want=wanted("/nowhere/python"))


@pytest.mark.parametrize("bad, message", [
    ({"command": ("python",)}, "full path"),
    ({"command": ()}, "full path"),
    ({"env": {"A": 1}}, "env.A"),
    ({"stop_timeout": 0}, "stop_timeout"),
])  # fmt: skip
def test_wishes_that_are_refused(bad, message):
    with pytest.raises(InfraError, match=message):
        replace(wanted(), **bad)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_it_is_ready_when_it_returns(instance):
    port = free_port()
    want = wanted(sys.executable, "-c", SERVER, str(port), "0.5", ready_url=f"http://127.0.0.1:{port}", ready_timeout=20)
    assert bring(instance, want=want).changed
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    assert not bring(instance, want=want).changed


def test_a_refused_argument_ends_the_waiting_with_the_log(instance):
    refuses = "import sys; print('serve.py: no such argument', flush=True); sys.exit(2)"
    want = wanted(sys.executable, "-c", refuses, ready_url=f"http://127.0.0.1:{free_port()}", ready_timeout=600)
    with pytest.raises(InfraError, match=r"exit status 2(.|\n)*serve.py: no such argument"):
        bring(instance, want=want)
    assert instance.state()["status"] == "gave_up"


def test_a_port_that_somebody_else_has(instance):
    other = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(InfraError, match="something else already answers there"):
            bring(instance, want=wanted(ready_url=f"http://127.0.0.1:{other.server_port}"))
    finally:
        other.shutdown()
        thread.join()
        other.server_close()
    assert not instance.supervisor_runs()
