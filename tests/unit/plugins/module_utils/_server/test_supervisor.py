# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The supervisor script alone, with small limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUPERVISOR = Path(__file__).parents[5] / "roles" / "llama_server" / "files" / "embedded" / "supervisor.py"


@pytest.fixture
def supervise(tmp_path):
    """Start a supervisor; state() afterwards, and nothing is left at the end."""

    def start(code, **limits):
        spec = {"digest": "d", "command": [sys.executable, "-c", code], "env": {}, "stop_timeout": 5, **limits}
        (tmp_path / "command.json").write_text(json.dumps(spec))
        return subprocess.run([sys.executable, SUPERVISOR, tmp_path], capture_output=True, text=True, timeout=20, check=False)

    yield start
    if (tmp_path / "server.pid").exists():
        os.kill(int((tmp_path / "server.pid").read_text()), signal.SIGTERM)
        until(lambda: not (tmp_path / "server.pid").exists())


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def state(directory):
    return json.loads((directory / "state.json").read_text())


def test_a_command_that_keeps_ending_is_given_up(supervise, tmp_path):
    assert supervise("print('oops'); raise SystemExit(3)", pause_seconds=0.01, quick_limit=3).returncode == 0
    until(lambda: state(tmp_path)["status"] == "gave_up")
    assert state(tmp_path)["ends"] == 3
    assert "exit status 3" in state(tmp_path)["reason"]
    assert (tmp_path / "server.log").read_text().count("oops") == 3
    until(lambda: not (tmp_path / "server.pid").exists())


def test_ends_after_a_good_while_do_not_add_up(supervise, tmp_path):
    supervise("import time; time.sleep(0.05)", pause_seconds=0.01, quick_limit=2, quick_seconds=0)
    until(lambda: state(tmp_path)["ends"] >= 4)


def test_a_refusal_is_given_up_at_once(supervise, tmp_path):
    supervise("raise SystemExit(2)")
    until(lambda: state(tmp_path)["status"] == "gave_up")
    assert state(tmp_path)["ends"] == 1


def test_the_log_stays_small(supervise, tmp_path):
    log = tmp_path / "server.log"

    def done():
        # While it is exchanged there is no log for a moment.
        try:
            return log.read_bytes().endswith(b"done\n")
        except FileNotFoundError:
            return False

    supervise("import time\nfor number in range(3000): print('x' * 100, flush=True)\nprint('done', flush=True)\ntime.sleep(600)", log_limit_bytes=5000)
    until(done)
    # What the command writes at once, up to 64 KiB, is kept together.
    assert sorted(path.name for path in tmp_path.glob("server.log*")) == ["server.log", "server.log.1"]
    assert all(path.stat().st_size <= 65536 for path in tmp_path.glob("server.log*"))


def test_only_one_per_directory(supervise, tmp_path):
    supervise("import time; time.sleep(600)")
    second = supervise("import time; time.sleep(600)")
    assert second.returncode == 1
    assert "another supervisor runs" in second.stderr


def test_the_pause_ends_when_it_is_told_to_stop(supervise, tmp_path):
    supervise("raise SystemExit(1)", pause_seconds=600)
    until(lambda: state(tmp_path)["status"] == "waiting")
    os.kill(state(tmp_path)["pid"], signal.SIGTERM)
    until(lambda: state(tmp_path)["status"] == "stopped")


def test_a_command_that_closed_its_output_is_still_watched(supervise, tmp_path):
    supervise("import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(2)")
    until(lambda: state(tmp_path)["status"] == "gave_up")
