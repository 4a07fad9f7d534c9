# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The current start is found in a file, whatever stands before it and however long it is."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.log import file
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import MOST_BYTES
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import text

SUPERVISOR = "2026-11-26T07:00:00+0000 supervisor: started process {}\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "server.log"

    def write(content):
        path.write_text(content, encoding="utf-8")
        return report(file.read(str(path)))

    return write


def test_only_the_last_start_counts(log):
    found = log(SUPERVISOR.format(1) + text("vulkan") + SUPERVISOR.format(2) + text("vulkan_no_layers"))
    assert found["layers"]["on_gpu"] == 0 and found["whole"]


def test_a_start_that_failed_after_one_that_did_not(log):
    found = log(SUPERVISOR.format(1) + text("vulkan") + SUPERVISOR.format(2) + text("unknown_argument"))
    assert (found["failure"], found["layers"]) == ("this llama-server does not know the argument --no-such-flag", None)


def test_without_a_supervisor_the_lines_about_backends_belong_to_the_start(log):
    found = log(text("vulkan") + text("cuda_driver_mismatch"))
    assert (found["backends"], found["problems"][0]["code"], found["build"]) == (["CUDA", "CPU"], "driver_mismatch", "b11312-0c1e57098")


def test_a_file_without_a_mark_is_one_start(log):
    assert log(text("refused_argument"))["failure"].startswith("llama-server refuses")


def test_of_a_long_log_the_beginning_and_the_end(log):
    requests = "0.06.385.066 I slot print_timing: id  0 | task 0 | prompt eval time = 1 ms\n" * (3 * MOST_BYTES // 76)
    found = log(text("vulkan") * 2 + text("vulkan_no_layers") + requests + "CUDA error: an illegal memory access was encountered\n")
    assert (found["layers"]["on_gpu"], found["whole"]) == (0, False)
    assert found["failure"] == "the GPU failed: CUDA error: an illegal memory access was encountered"


def test_a_start_in_the_older_file(log, tmp_path):
    (tmp_path / "server.log.1").write_text(SUPERVISOR.format(1) + text("vulkan_partial"), encoding="utf-8")
    found = log("0.06.385.066 I slot release: id  0\n")
    assert (found["layers"]["on_gpu"], found["whole"]) == (3, True)
    assert found["source"] == f"file {tmp_path}/server.log and {tmp_path}/server.log.1"


@pytest.mark.parametrize("make, why", [
    (lambda path: None, "it can't be read: No such file or directory"),
    (lambda path: path.mkdir(), "it can't be read: Is a directory"),
    (lambda path: path.touch(), "it is empty"),
    (lambda path: path.symlink_to("/dev/zero"), "it is no file"),
])  # fmt: skip
def test_what_can_not_be_read(tmp_path, make, why):
    make(tmp_path / "server.log")
    found = report(file.read(str(tmp_path / "server.log")))
    assert (found["read"], found["why_not"], found["failure"]) == (False, why, None)
