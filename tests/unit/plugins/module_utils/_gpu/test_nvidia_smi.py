# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs from what nvidia-smi says: how it is asked, and what the fixtures don't reach."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import nvidia_smi


def codes(findings):
    return [problem.code for problem in findings.problems]


def test_a_node_without_nvidia_smi_is_not_a_problem(nothing):
    found = nvidia_smi.read(nothing)
    assert (found.devices, found.driver_version, found.problems) == ((), None, ())


def test_a_healthy_node_costs_two_calls(recorded):
    programs = recorded("two_gpus")
    assert len(nvidia_smi.read(programs).devices) == 2
    assert len(programs.calls) == 2


def test_what_is_begun_early_is_what_is_asked_for(recorded):
    programs, begun = recorded("l4"), []
    programs.start = lambda *command: begun.append(" ".join(command))
    nvidia_smi.start(programs)
    nvidia_smi.read(programs)
    assert begun == programs.calls


@pytest.mark.parametrize("case, calls", [("old_driver_470", 4), ("old_driver_418", 6), ("mig", 4)])
def test_more_calls_only_where_they_are_needed(recorded, case, calls):
    programs = recorded(case)
    nvidia_smi.read(programs)
    assert len(programs.calls) == calls


@pytest.mark.parametrize("case", ["driver_not_loaded", "mismatch", "no_devices", "gpu_lost", "no_permission", "no_library", "wrapper", "hung"])
def test_without_an_answer_nothing_else_is_asked(recorded, case):
    programs = recorded(case)
    found = nvidia_smi.read(programs)
    assert (found.devices, found.driver_version) == ((), None)
    assert len(found.problems) == len(programs.calls) == 1


def test_a_refused_field_that_is_needed_ends_the_asking(answering):
    asked = []

    def run(*arguments):
        asked.append(arguments)
        return 2, 'Field "uuid" is not a valid field to query.\n', ""

    found = nvidia_smi.read(answering(run))
    assert len(asked) == 1
    assert codes(found) == ["nvidia_smi_failed"]
    assert 'Field "uuid"' in found.problems[0].message


@pytest.mark.parametrize(
    "capability, architecture",
    [("5.2", "maxwell"), ("6.1", "pascal"), ("7.0", "volta"), ("7.5", "turing"), ("8.6", "ampere"), ("9.0", "hopper"), ("10.0", "blackwell"), ("99.0", None)],
)
def test_architectures(answering, capability, architecture):
    row = f"0, GPU-1, 00000000:01:00.0, A GPU, 1, 1, 570.1, {capability}, Disabled, Enabled, [N/A], [N/A], 4, 16, [N/A]\n"
    found = nvidia_smi.read(answering(lambda *arguments: (0, row, "")))
    assert (found.devices[0].compute_capability, found.devices[0].architecture) == (capability, architecture)


@pytest.mark.parametrize("name, virtual", [("NVIDIA A40-48Q", True), ("GRID T4-16C", True), ("NVIDIA L40S-4B", True), ("Tesla V100-PCIE-16GB", False)])
def test_a_vgpu_is_known_by_its_profile(answering, name, virtual):
    row = f"0, GPU-1, 00000000:01:00.0, {name}, 1, 1, 570.1, 8.6, Disabled, Enabled, [N/A], [N/A], 4, 16, [N/A]\n"
    (device,) = nvidia_smi.read(answering(lambda *arguments: (0, row, ""))).devices
    assert device.virtual is virtual


def test_xml_that_is_cut_off_costs_the_instances_alone(recorded):
    programs = recorded("mig")
    answer = programs.answer
    programs.answer = lambda *command: (0, answer(*command)[1][:200]) if "-x" in command else answer(*command)
    found = nvidia_smi.read(programs)
    assert [device.pci_bus_id for device in found.devices] == ["0000:0f:00.0"]
    assert codes(found) == ["gpu_memory_unreadable"] * 2
