# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module as Ansible runs it on a node, with programs on PATH that stand for nvidia-smi."""

from __future__ import annotations

import os
import re
import time

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import diagnosis, nvidia_failures
from ansible_collections.prositronic.infra.plugins.modules import gpu_facts as module
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gpu import test_cases as cases
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gpu.recorded import made_to_run
from ansible_collections.prositronic.infra.tests.unit.plugins.modules.process import run_module


@pytest.fixture
def gpu_facts(tmp_path):
    """gpu_facts(program, case, **arguments): what the module's main() prints, with an nvidia-smi of this text, or the programs of a fixture."""

    def run(program=None, case=None, **arguments):
        programs, fixture = tmp_path / "bin", cases.FIXTURES / (case or "no_gpu")
        programs.mkdir(exist_ok=True)
        made_to_run(fixture, programs)
        if program is not None:
            (programs / "nvidia-smi").write_text(program)
            (programs / "nvidia-smi").chmod(0o755)
        return run_module(module, arguments, PATH=f"{programs}:/usr/bin:/bin", LC_ALL="C.UTF-8", FIXTURE=str(fixture))

    return run


def facts_of(result):
    assert result["changed"] is False
    assert list(result["ansible_facts"]) == ["gpu"]
    return result["ansible_facts"]["gpu"]


def test_this_machine(gpu_facts):
    facts = facts_of(gpu_facts())
    assert facts["schema"] == 2
    assert facts["host"]["memory_total_bytes"] > facts["host"]["memory_available_bytes"] > 0
    assert facts["host"]["cores_logical"] >= 1
    assert facts["platform"]["system"] == os.uname().sysname


def test_a_gpu(gpu_facts):
    facts = facts_of(gpu_facts(case="l4"))
    assert [(device["name"], device["memory_total_bytes"]) for device in facts["devices"] if device["vendor"] == "nvidia"] == [("NVIDIA L4", 24152899584)]
    assert (facts["driver"]["version"], facts["driver"]["cuda_max"]) == ("570.86.15", "12.8")


def test_mig_instances(gpu_facts):
    facts = facts_of(gpu_facts(case="mig"))
    assert [device["mig"] and device["mig"]["profile"] for device in facts["devices"] if device["vendor"] == "nvidia"] == ["3g.40gb", "1g.10gb", None]


def returned(case):
    return cases.facts_of(case, paths=["/"])


def undocumented(contains, value, where="gpu"):
    """The keys of C(value) that the documentation doesn't name, or that it names and that aren't there."""
    values = value if isinstance(value, list) else [value]
    found = []
    for item in values:
        if isinstance(item, dict) and contains is not None:
            found += [f"{where}.{key}" for key in set(item) ^ set(contains)]
            for key in set(item) & set(contains):
                found += undocumented(contains[key].get("contains"), item[key], f"{where}.{key}")
    return found


@pytest.mark.parametrize("case", ["mig", "cdi", "vfio_pci", "gpu_operator", "uvm_missing"])
def test_the_documentation_names_what_is_returned(case):
    documented = yaml.safe_load(module.RETURN)["ansible_facts"]["contains"]["gpu"]["contains"]
    assert undocumented(documented, returned(case)) == []


def test_the_documentation_names_every_problem():
    codes = {code for case in cases.CASES for code in cases.expected_of(case)["problems"]}
    codes |= set(diagnosis._TEXTS) | {code for code, _words, _fix in nvidia_failures._KNOWN_FAILURES}
    codes |= {"cdi_spec_unreadable", "needs_root", "nvml_failed", "device_permission_denied"}
    text = yaml.safe_load(module.RETURN)["ansible_facts"]["contains"]["gpu"]["contains"]["problems"]["contains"]["code"]["description"]
    assert set(re.findall(r"V\((\w+)\)", " ".join(text))) == codes


def test_programs_run_under_the_c_locale_and_without_input(gpu_facts):
    facts = facts_of(gpu_facts("#!/bin/sh\nread line\necho \"locale $LC_ALL, input '$line'\"\nexit 5\n"))
    assert facts["problems"][0]["message"] == "nvidia-smi ended with code 5: locale C, input ''"


def test_check_mode_gathers_the_same(gpu_facts):
    plain, checked = facts_of(gpu_facts(case="l4")), facts_of(gpu_facts(case="l4", _ansible_check_mode=True))
    # What other programs use changes from one moment to the next.
    for facts in (plain, checked):
        del facts["host"]["memory_available_bytes"]
    assert plain == checked


def test_free_space_where_it_is_asked_for(gpu_facts, tmp_path):
    (disk,) = facts_of(gpu_facts(paths=[str(tmp_path / "models")]))["host"]["disks"]
    assert disk["path"] == str(tmp_path / "models") and 0 < disk["free_bytes"] <= disk["total_bytes"]


def test_the_speed_of_the_ram_where_it_is_asked_for(gpu_facts):
    assert facts_of(gpu_facts(measure=True))["host"]["memory_bandwidth_bytes_per_second"] > 1e8


@pytest.mark.parametrize("hang", ["exec sleep 20", "trap '' TERM INT\nsleep 20\nsleep 20"])
def test_an_nvidia_smi_that_hangs_is_left_after_the_timeout(gpu_facts, hang):
    started = time.monotonic()
    facts = facts_of(gpu_facts("#!/bin/sh\n" + hang + "\n", timeout=1))
    assert time.monotonic() - started < 8
    assert facts["driver"]["cuda_max"] is None
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
