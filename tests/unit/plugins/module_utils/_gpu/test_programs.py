# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running programs within one time limit."""

from __future__ import annotations

import contextlib
import os
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import CANNOT_RUN, NOT_FOUND, TIMED_OUT, Programs


@pytest.fixture
def programs(tmp_path):
    """programs(seconds, name=text): Programs with these shell scripts."""

    def make(seconds=10, **texts):
        for name, text in texts.items():
            (tmp_path / name).write_text(text if text.startswith("#!") else "#!/bin/sh\n" + text)
            (tmp_path / name).chmod(0o755)
        return Programs(lambda name: str(tmp_path / name) if name in texts else None, seconds)

    return make


def test_what_a_program_prints(programs):
    assert programs(speak='echo "$1"; echo no >&2; exit 3').run("speak", "a b") == (3, "a b\n", "no\n")


def test_a_program_that_is_not_there(programs):
    assert programs().run("nothing") == (NOT_FOUND, "", "nothing is not installed")
    assert programs().has("nothing") is False


def test_a_program_that_can_not_be_run(programs):
    rc, out, err = programs(broken="#!/no/such/interpreter\n").run("broken")
    assert (rc, out) == (CANNOT_RUN, "") and "No such file" in err


def test_those_begun_early_run_beside_one_another(programs):
    several = programs(slow="sleep 1; echo $1")
    began = time.monotonic()
    for number in range(4):
        several.start("slow", str(number))
    assert [several.run("slow", str(number))[1] for number in range(4)] == ["0\n", "1\n", "2\n", "3\n"]
    assert time.monotonic() - began < 3


def test_the_limit_is_for_all_together_and_what_is_done_counts(programs):
    both = programs(1, hang="trap '' TERM INT\nsleep 30 & sleep 30", quick="echo done")
    both.start("quick")
    began = time.monotonic()
    assert both.run("hang") == (TIMED_OUT, "", "no answer within 1 s")
    assert both.run("quick") == (0, "done\n", "")
    assert both.run("hang", "again")[0] == TIMED_OUT
    assert time.monotonic() - began < 5


def test_what_was_not_asked_for_is_ended(programs, tmp_path):
    one = programs(hang=f"echo $$ > {tmp_path}/pid; exec sleep 30")
    one.start("hang")
    end = time.monotonic() + 5
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.01)
    process = int((tmp_path / "pid").read_text())
    one.stop()
    # Killed; waited for here, unless Python did it when it forgot the process.
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(process, 0) == (process, 9)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_more_than_a_pipe_holds(programs):
    rc, out, _err = programs(much="head -c 3000000 /dev/zero | tr '\\0' x").run("much")
    assert (rc, len(out)) == (0, 3000000)
