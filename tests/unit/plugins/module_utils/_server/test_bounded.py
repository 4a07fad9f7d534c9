# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs are read within limits of bytes and time."""

from __future__ import annotations

import sys
import time

from ansible_collections.prositronic.infra.plugins.module_utils._server.bounded import first_bytes, last_bytes


def python(program):
    return [sys.executable, "-c", program]


def test_all_of_it_with_both_outputs_and_the_exit_status():
    answer = first_bytes(python("import os; os.write(1, b'a'); os.write(2, b'b'); os._exit(3)"), 100, 10)
    assert tuple(answer) == (b"ab", True, 3, None)


def test_the_beginning_of_a_program_without_an_end():
    answer = first_bytes(python("while True: print('abcdefghi')"), 1000, 10)
    assert (answer.data, answer.whole, answer.rc, answer.problem) == (b"abcdefghi\n" * 100, False, None, None)


def test_the_end():
    answer = last_bytes(python("[print(number) for number in range(200000)]"), 14, 20)
    assert (answer.data, answer.whole, answer.rc) == (b"199998\n199999\n", False, 0)


def test_a_program_that_does_not_answer():
    began = time.monotonic()
    answer = first_bytes(python("import time; print('x', flush=True); time.sleep(60)"), 100, 1)
    assert time.monotonic() - began < 10
    assert (answer.data, answer.whole, answer.rc, answer.problem.partition(" did")[2]) == (b"x\n", False, None, " not answer within 1 s")


def test_a_child_that_holds_the_output_open_is_ended():
    began = time.monotonic()
    program = "import os, time; os.fork() or time.sleep(60); os._exit(0)"
    assert first_bytes(python(program), 100, 1).rc is None
    assert time.monotonic() - began < 10


def test_a_program_that_is_not_there():
    assert first_bytes(["/nowhere/journalctl"], 100, 1).problem == "/nowhere/journalctl: No such file or directory"
