# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A unit of systemd: its log of this start, whether it is given up, its processes."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.unit import Unit
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.keeper.programs import Programs
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import text

START = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def programs(tmp_path):
    return Programs(tmp_path)


def show(**told):
    told = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success", "InvocationID": START, "NRestarts": "0", **told}
    return "".join(f"{key}={value}\n" for key, value in told.items())


def unit(programs, scope="system", name="llama"):
    return Unit(name, scope, programs.find, 10)


@pytest.mark.parametrize("scope, option", [("system", []), ("user", ["--user"])])
def test_the_log_of_this_start(programs, scope, option):
    programs.answer(["systemctl"], show())
    programs.answer(["journalctl"], text("vulkan"))
    log = report(unit(programs, scope).log())
    assert (log["source"], log["layers"], log["whole"]) == ("journal of llama.service", {"on_gpu": 5, "total": 5}, True)
    asked, read = programs.calls()
    assert asked[: 2 + len(option)] == ["systemctl", *option, "show"] and asked[-2:] == ["--", "llama.service"]
    matches = [f"_SYSTEMD_INVOCATION_ID={START}", "+", f"INVOCATION_ID={START}", "+", f"USER_INVOCATION_ID={START}"]
    assert read == ["journalctl", *option, "--quiet", "--no-pager", "--output=cat", *matches]


def test_of_a_long_log_the_end_too(programs):
    programs.answer(["systemctl"], show())
    programs.answer(["--lines=2000"], "CUDA error: an illegal memory access was encountered\n")
    programs.answer(["journalctl"], text("vulkan") + "x\n" * 1024 * 1024)
    log = report(unit(programs).log())
    assert (log["layers"]["on_gpu"], log["whole"], log["failure"]) == (5, False, "the GPU failed: CUDA error: an illegal memory access was encountered")


@pytest.mark.parametrize("answers, why", [
    ([(["systemctl"], "", 1)], "systemctl can't be asked"),
    ([(["systemctl"], show(LoadState="not-found"), 0)], "there is no such unit"),
    ([(["systemctl"], show(InvocationID=""), 0)], "the unit has not been started"),
    ([(["systemctl"], show(), 0), (["journalctl"], "", 0)], "the journal has nothing of this start that this user may read"),
    ([(["systemctl"], show(), 0), (["journalctl"], "No journal files were opened.", 1)], "No journal files were opened."),
])  # fmt: skip
def test_what_can_not_be_read(programs, answers, why):
    for words, output, rc in answers:
        programs.answer(words, output, rc)
    log = report(unit(programs).log())
    assert (log["read"], log["why_not"]) == (False, why)


@pytest.mark.parametrize("program, why", [("journalctl", "journalctl is not installed"), ("systemctl", "systemctl can't be asked")])
def test_a_node_without_systemd(programs, program, why):
    programs.remove(program)
    keeper = unit(programs)
    assert keeper.log().problem == why
    programs.answer(["systemctl"], show(ControlGroup=""))
    assert keeper.gave_up() is None and keeper.processes() == []


@pytest.mark.parametrize("told, why", [
    ({}, None),
    ({"ActiveState": "activating", "SubState": "start"}, None),
    ({"ActiveState": "activating", "SubState": "auto-restart"}, None),
    ({"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": "1"}, "llama.service failed: exit-code, exit status 1"),
    ({"ActiveState": "inactive", "SubState": "dead"}, "llama.service does not run"),
])  # fmt: skip
def test_whether_it_is_given_up(programs, told, why):
    programs.answer(["systemctl"], show(**told))
    assert unit(programs).gave_up() == why


def test_a_unit_that_is_started_again_and_again(programs):
    keeper = unit(programs)
    for restarts, gave_up in (("7", False), ("8", False), ("9", True)):
        programs.answer(["systemctl"], show(NRestarts=restarts))
        assert bool(keeper.gave_up()) is gave_up


def test_a_name_that_would_be_an_option_is_none(programs):
    unit(programs, name="--help").gave_up()
    assert programs.calls()[0][-2:] == ["--", "--help.service"]
