# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A container: its log since it was started, whether it is given up, its processes."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.container import Container
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.keeper.programs import Programs
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import text

SINCE = "2026-11-26T07:30:01.123456789+01:00"


@pytest.fixture
def programs(tmp_path):
    return Programs(tmp_path)


def inspected(restarts=0, **state):
    return json.dumps([{"RestartCount": restarts, "State": {"Status": "running", "StartedAt": SINCE, "Pid": 0, "ExitCode": 0, **state}}])


def container(programs, engine="podman"):
    return Container("llama", engine, programs.find, 10)


@pytest.mark.parametrize("engine", ["podman", "docker"])
def test_the_log_since_it_was_started(programs, engine):
    programs.answer(["inspect"], inspected())
    programs.answer(["logs"], text("vulkan_partial"))
    log = report(container(programs, engine).log())
    assert (log["source"], log["layers"]) == (f"{engine} container llama", {"on_gpu": 3, "total": 5})
    assert programs.calls() == [[engine, "container", "inspect", "--", "llama"], [engine, "logs", "--since", SINCE, "--", "llama"]]


def test_of_a_long_log_the_end_too(programs):
    programs.answer(["inspect"], inspected())
    programs.answer(["--tail"], "CUDA error: an illegal memory access was encountered\n")
    programs.answer(["logs"], text("vulkan") + "x\n" * 1024 * 1024)
    log = report(container(programs).log())
    assert (log["layers"]["on_gpu"], log["whole"], log["failure"]) == (5, False, "the GPU failed: CUDA error: an illegal memory access was encountered")


def test_a_start_that_is_no_time_is_not_given_on(programs):
    programs.answer(["inspect"], inspected(StartedAt="--follow"))
    programs.answer(["logs"], "x\n")
    container(programs).log()
    assert programs.calls()[1] == ["podman", "logs", "--", "llama"]


@pytest.mark.parametrize("output, rc, why", [
    ("[]\nError: no such container llama\n", 125, "Error: no such container llama"),
    ("[]", 0, "[]"),
    ('[{"State": 7}]', 0, '[{"State": 7}]'),
    ("", 1, "podman does not know the container"),
])  # fmt: skip
def test_what_can_not_be_read(programs, output, rc, why):
    programs.answer(["inspect"], output, rc)
    keeper = container(programs)
    assert keeper.log().problem == why
    assert keeper.gave_up() == f"container llama: {why}"
    assert keeper.processes() == []


def test_a_node_without_the_engine(programs):
    programs.remove("podman")
    assert container(programs).log().problem == "podman is not installed"


@pytest.mark.parametrize("state, why", [
    ({}, None),
    ({"Status": "created"}, None),
    ({"Status": "exited", "ExitCode": 1}, "container llama has ended: exit status 1, no reason given"),
    ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, "container llama has ended: exit status 137, the RAM, or its limit, did not suffice"),
])  # fmt: skip
def test_whether_it_is_given_up(programs, state, why):
    programs.answer(["inspect"], inspected(**state))
    assert container(programs).gave_up() == why


def test_a_container_that_is_started_again_and_again(programs):
    keeper = container(programs)
    for restarts, gave_up in ((3, False), (4, False), (5, True)):
        programs.answer(["inspect"], inspected(restarts=restarts))
        assert bool(keeper.gave_up()) is gave_up


def test_its_processes(programs):
    programs.answer(["inspect"], inspected(Pid=os.getpid()))
    assert container(programs).processes()[0] == os.getpid()
