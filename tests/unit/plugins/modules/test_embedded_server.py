# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module embedded_server as Ansible runs it on a node."""

from __future__ import annotations

import pathlib
import sys

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.instance import Instance
from ansible_collections.prositronic.infra.plugins.modules import embedded_server as module
from ansible_collections.prositronic.infra.tests.unit.plugins.modules.process import run_module

SUPERVISOR = pathlib.Path(__file__).parents[4] / "roles" / "llama_server" / "files" / "embedded" / "supervisor.py"


@pytest.fixture
def embedded_server(tmp_path):
    """embedded_server(**arguments): what the module prints."""

    def run(**arguments):
        arguments = {"directory": str(tmp_path / "server"), **arguments}
        return run_module(module, arguments)

    yield run
    Instance(tmp_path / "server").stop()


RUN = {"command": [sys.executable, "-c", "import time; time.sleep(600)"], "supervisor": str(SUPERVISOR)}


def test_from_nothing_and_back(embedded_server, tmp_path):
    predicted = embedded_server(**RUN, _ansible_check_mode=True)
    assert (predicted["changed"], predicted["status"], predicted["pid"]) == (True, "started", None)
    assert '"status": "absent"' in predicted["diff"]["before"]

    done = embedded_server(**RUN)
    assert (done["changed"], done["status"]) == (True, "started")
    assert done["diff"] == predicted["diff"]
    assert pathlib.Path(done["log"]).read_text().count("started process") == 1
    assert (tmp_path / "server" / "server.pid").read_text().strip() == str(done["pid"])

    again = embedded_server(**RUN)
    assert (again["changed"], again["pid"], again["reasons"]) == (False, done["pid"], [])
    assert again["diff"]["before"] == again["diff"]["after"]

    assert embedded_server(state="absent")["changed"]
    assert not embedded_server(state="absent")["changed"]
    assert not (tmp_path / "server").exists()


def test_started_needs_a_command(embedded_server):
    result = embedded_server()
    assert result["failed"] and "command, supervisor" in result["msg"]


def test_an_error_is_one_message(embedded_server):
    result = embedded_server(**{**RUN, "command": ["/nowhere/python"]})
    assert result["failed"] and "No such file or directory" in result["msg"] and "Traceback" not in result["msg"]
