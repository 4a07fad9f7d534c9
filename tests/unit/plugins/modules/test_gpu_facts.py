# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module as Ansible runs it on a node, with programs on PATH that stand for nvidia-smi."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.prositronic.infra.plugins.modules import gpu_facts as module
from ansible_collections.prositronic.infra.tests.unit.plugins.modules.process import run_module

L4 = """#!/bin/sh
[ "$LC_ALL" = C ] || { echo "locale is $LC_ALL"; exit 1; }
case "$1" in
  --query-gpu=*) echo "0, GPU-5c0e4b7e, 00000000:01:00.0, NVIDIA L4, 23034, 22569, 570.86.15, 8.9, Disabled" ;;
  "") echo "| NVIDIA-SMI 570.86.15    Driver Version: 570.86.15    CUDA Version: 12.8 |" ;;
  *) exit 2 ;;
esac
"""


@pytest.fixture
def gpu_facts(tmp_path):
    """gpu_facts(nvidia_smi, **arguments): what the module's main() prints, with a script of this text as nvidia-smi."""

    def run(nvidia_smi=None, **arguments):
        programs = tmp_path / "bin"
        programs.mkdir(exist_ok=True)
        if nvidia_smi is not None:
            script = programs / "nvidia-smi"
            script.write_text(nvidia_smi)
            script.chmod(0o755)
        return run_module(module, arguments, PATH=f"{programs}:/usr/bin:/bin", LC_ALL="C.UTF-8")

    return run


def facts_of(result):
    assert result["changed"] is False
    assert list(result["ansible_facts"]) == ["gpu"]
    return result["ansible_facts"]["gpu"]


def test_this_machine(gpu_facts):
    facts = facts_of(gpu_facts())
    assert facts["schema"] == 1
    assert facts["host"]["memory_total_bytes"] > facts["host"]["memory_available_bytes"] > 0
    assert facts["host"]["cores_logical"] >= 1
    assert facts["platform"]["system"] == os.uname().sysname


def test_a_gpu_under_the_c_locale(gpu_facts):
    facts = facts_of(gpu_facts(L4))
    assert [(device["name"], device["memory_total_bytes"]) for device in facts["devices"] if device["vendor"] == "nvidia"] == [("NVIDIA L4", 24152899584)]
    assert facts["driver"] == {"vendor": "nvidia", "version": "570.86.15", "cuda_max": "12.8"}


def test_check_mode_gathers_the_same(gpu_facts):
    plain, checked = facts_of(gpu_facts(L4)), facts_of(gpu_facts(L4, _ansible_check_mode=True))
    # What other programs use changes from one moment to the next.
    for facts in (plain, checked):
        del facts["host"]["memory_available_bytes"]
    assert plain == checked


@pytest.mark.parametrize("hang", ["exec sleep 20", "trap '' TERM INT\nsleep 20\nsleep 20"])
def test_an_nvidia_smi_that_hangs_is_left_after_the_timeout(gpu_facts, hang):
    started = time.monotonic()
    facts = facts_of(gpu_facts("#!/bin/sh\n" + hang + "\n", timeout=1))
    assert time.monotonic() - started < 8
    assert "nvidia_smi_timeout" in [problem["code"] for problem in facts["problems"]]
    assert "within 1 s" in facts["problems"][0]["message"]


def test_an_nvidia_smi_that_can_not_be_run(gpu_facts):
    facts = facts_of(gpu_facts("#!/no/such/interpreter\n"))
    assert next(problem["code"] for problem in facts["problems"]) == "nvidia_smi_failed"
    assert "code 126" in facts["problems"][0]["message"]


def test_output_that_is_no_text(gpu_facts):
    facts = facts_of(gpu_facts("#!/bin/sh\nprintf '\\377\\376\\n'\nexit 5\n"))
    assert facts["problems"][0]["message"] == "nvidia-smi ended with code 5: \ufffd\ufffd"


def test_a_timeout_of_nothing_is_refused(gpu_facts):
    result = gpu_facts(timeout=0)
    assert result["failed"] is True
    assert result["msg"] == "timeout: this is no time to wait for (got 0, expected a number of seconds, 1 or more)"


def test_no_other_option_is_taken(gpu_facts):
    result = gpu_facts(timeouts=5)
    assert result["failed"] is True and "timeouts" in result["msg"]
