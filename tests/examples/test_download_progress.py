# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A task that waits for a slow download, as people see it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._download.place import some_bytes
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

DATA = some_bytes()
PIECE = len(DATA) // 10


def slow(handler):
    """The file in ten pieces, half a second apart."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(DATA)))
    handler.end_headers()
    if handler.headers.get("Range") == "bytes=0-0":
        return
    for start in range(0, len(DATA), PIECE):
        handler.wfile.write(DATA[start : start + PIECE])
        time.sleep(0.5)


@pytest.mark.parametrize("wait", [True, False])
def test_progress_is_shown_while_a_task_waits(tmp_path, wait):
    with serving() as web:
        web.answers["/m.gguf"] = slow
        arguments = {"source": f"{web.url}/m.gguf", "directory": str(tmp_path / "models"), "poll": 1, "wait": wait, "token": "hf_verysecret"}
        task = {"prositronic.infra.model_download": arguments, "register": "got"}
        show = {"ansible.builtin.debug": {"msg": "finished={{ got.finished }} changed={{ got.changed }}"}}
        playbook = tmp_path / "play.yml"
        variables = {"ansible_python_interpreter": sys.executable}
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task, show]}]))
        done = subprocess.run(
            ["ansible-playbook", "-vvv", "--inventory", "localhost,", "--connection", "local", str(playbook)],
            env={**os.environ, "no_proxy": "*", "ANSIBLE_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"finished={wait} changed=True" in done.stdout
    shown = re.findall(r"^localhost: downloading m.gguf \(1 of 1\): 0.[0-3] of 0.3 MiB \(([0-9]+) %\)", done.stdout, re.MULTILINE)
    assert (len(shown) >= 3 and int(shown[-1]) > int(shown[0])) is wait
    assert "hf_verysecret" not in done.stdout + done.stderr
