# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs from what nvidia-smi says."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import nvidia_smi
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Device, Driver

MIB = 1024 * 1024


@pytest.fixture
def read(smi):
    def read_transcript(name):
        transcript = smi(name)
        return nvidia_smi.read(transcript)

    return read_transcript


def codes(findings):
    return [problem.code for problem in findings.problems]


def test_one_gpu_with_everything(read):
    found = read("l4")
    assert found.devices == (
        Device(
            uuid="GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34",
            pci_bus_id="0000:01:00.0",
            vendor="nvidia",
            name="NVIDIA L4",
            architecture="ada",
            compute_capability="8.9",
            gfx_target=None,
            memory_total_bytes=23034 * MIB,
            memory_free_bytes=22569 * MIB,
            unified_memory=False,
            display_attached=False,
        ),
    )
    assert found.driver == Driver("nvidia", "570.86.15", "12.8")
    assert found.problems == ()


def test_a_comma_belongs_to_the_name(read):
    first, second = read("two_gpus").devices
    assert (second.name, second.memory_total_bytes, second.architecture) == ("NVIDIA RTX PRO 6000 Blackwell, Max-Q Edition", 97887 * MIB, "blackwell")
    assert first.display_attached is True


def test_a_driver_too_old_for_compute_cap_is_asked_without_it(read):
    found = read("old_driver")
    (device,) = found.devices
    assert (device.name, device.memory_free_bytes) == ("Tesla V100-PCIE-16GB", 16157 * MIB)
    assert (device.compute_capability, device.architecture, device.display_attached) == (None, None, False)
    assert found.driver == Driver("nvidia", "470.182.03", "11.4")
    assert found.problems == ()


def test_a_refused_field_that_is_needed_ends_the_asking(answering):
    asked = []

    def run(*arguments):
        asked.append(arguments)
        return 2, 'Field "uuid" is not a valid field to query.\n', ""

    found = nvidia_smi.read(answering(run))
    assert len(asked) == 1
    assert codes(found) == ["nvidia_smi_failed"]
    assert 'Field "uuid"' in found.problems[0].message


@pytest.mark.parametrize("name, bus_id, architecture", [("gb10", "000f:01:00.0", "blackwell"), ("orin", None, "ampere")])
def test_no_memory_figures_mean_unified_memory(read, name, bus_id, architecture):
    found = read(name)
    (device,) = found.devices
    assert (device.unified_memory, device.memory_total_bytes, device.memory_free_bytes) == (True, None, None)
    assert (device.pci_bus_id, device.architecture) == (bus_id, architecture)
    assert found.problems == ()


def test_an_error_in_place_of_memory_is_not_unified_memory(read):
    found = read("unknown_error")
    assert found.devices == ()
    assert codes(found) == ["gpu_memory_unreadable"]
    assert "0000:07:00.0" in found.problems[0].message and "ERR!, [Unknown Error]" in found.problems[0].message
    assert found.driver == Driver("nvidia", "535.183.06", None)


def test_the_banner_of_driver_610(read):
    found = read("banner_610")
    assert found.driver == Driver("nvidia", "610.43.02", "13.3")
    assert len(found.devices) == 1 and found.problems == ()


@pytest.mark.parametrize(
    "name, code, said",
    [
        ("driver_not_loaded", "driver_not_loaded", "couldn't communicate with the NVIDIA driver"),
        ("mismatch", "driver_library_mismatch", "Driver/library version mismatch"),
        ("no_devices", "no_devices", "No devices were found"),
        ("all_lost", "gpu_lost", "GPU0000:41:00.0"),
        ("no_permission", "permission_denied", "Insufficient Permissions"),
        ("no_library", "nvidia_library_missing", "libnvidia-ml.so"),
        ("wrapper", "nvidia_smi_failed", "code 3: GPU-less output of a wrapper script"),
    ],
)
def test_a_failure_is_one_problem_with_a_fix(read, smi, name, code, said):
    found = read(name)
    assert (found.devices, found.driver) == ((), None)
    assert codes(found) == [code]
    assert said in found.problems[0].message and found.problems[0].fix.endswith(".")
    # Without an answer there is no use in asking for the banner, which may hang as well.
    transcript = smi(name)
    nvidia_smi.read(transcript)
    assert len(transcript.calls) == 1


def test_a_lost_gpu_leaves_the_others(read):
    found = read("some_lost")
    assert [device.pci_bus_id for device in found.devices] == ["0000:21:00.0"]
    assert codes(found) == ["gpu_lost", "gpu_lost"]
    assert "0000:44:00.0" in found.problems[0].message and "0000:61:00.0" in found.problems[1].message
    assert found.driver.version == "550.163.01"


def test_no_answer_in_time(answering):
    found = nvidia_smi.read(answering(lambda *arguments: (124, "", "no answer within 10 s")))
    assert (found.devices, found.driver) == ((), None)
    assert codes(found) == ["nvidia_smi_timeout"]
    assert "no answer within 10 s" in found.problems[0].message


def test_no_banner_in_time_costs_the_cuda_version_alone(smi, answering):
    transcript = smi("l4")
    found = nvidia_smi.read(answering(lambda *arguments: transcript.run("nvidia-smi", *arguments) if arguments else (124, "", "no answer within 10 s")))
    assert len(found.devices) == 1
    assert found.driver == Driver("nvidia", "570.86.15", None)
    assert codes(found) == ["nvidia_smi_timeout"]


def test_silence_is_a_failure(answering):
    found = nvidia_smi.read(answering(lambda *arguments: (0, "", "")))
    assert [problem.message for problem in found.problems] == ["nvidia-smi ended with code 0: no output"]


def test_a_node_without_nvidia_smi_is_not_a_problem(nothing):
    found = nvidia_smi.read(nothing)
    assert (found.devices, found.driver, found.problems) == ((), None, ())


@pytest.mark.parametrize(
    "capability, architecture",
    [("5.2", "maxwell"), ("6.1", "pascal"), ("7.0", "volta"), ("7.5", "turing"), ("8.6", "ampere"), ("9.0", "hopper"), ("10.0", "blackwell"), ("99.0", None)],
)
def test_architectures(answering, capability, architecture):
    row = f"0, GPU-1, 00000000:01:00.0, A GPU, 1, 1, 570.1, {capability}, Disabled\n"
    found = nvidia_smi.read(answering(lambda *arguments: (0, row, "")))
    assert (found.devices[0].compute_capability, found.devices[0].architecture) == (capability, architecture)
