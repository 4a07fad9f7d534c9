# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's library: read through ctypes from a real one (a stand-in, built here), and every answer from one made of Python functions."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import nvml, nvml_library
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import Programs
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

SOURCE = pathlib.Path(__file__).parents[4] / "harness" / "toolkit" / "nvml.c"
PLACE = "/usr/lib64/libnvidia-ml.so.1"
# The module that forks has one thread; pytest's workers have more.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
MIB = 1024**2
GIB = 1024**3


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The path of the stand-in. Every other test here does without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to build the stand-in for NVIDIA's library with; the functions in Python stand for it in the other tests")
    path = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", '-DDRIVER="570.86.15"', "-o", str(path), str(SOURCE)], check=True)
    return path


@pytest.fixture
def with_library(node, card, built):
    """A node with two cards, the library and no program."""
    files = {"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  x\n", "/dev/nvidia-uvm": ""}
    for bus in ("0000:01:00.0", "0000:02:00.0"):
        files.update(card(bus, "10de:27b8", driver="nvidia"))
        files[f"/proc/driver/nvidia/gpus/{bus}/information"] = "Model: NVIDIA L4\nDevice Minor: 0\n"
    root = node(files)
    place = pathlib.Path(root, PLACE[1:])
    place.parent.mkdir(parents=True)
    shutil.copy(built, place)
    return root


def codes(facts):
    return [problem["code"] for problem in facts["problems"]]


def no_programs(seconds=10):
    return Programs(lambda name: None, seconds)


def test_the_real_way_through_ctypes(with_library):
    facts = gather(no_programs(), root=with_library)
    assert (codes(facts), facts["driver"]["version"], facts["driver"]["cuda_max"], facts["driver"]["mismatch"]) == ([], "570.86.15", "12.8", False)
    first, second = facts["devices"]
    assert [first["pci_bus_id"], second["pci_bus_id"]] == ["0000:01:00.0", "0000:02:00.0"]
    del first["pci_bus_id"]
    assert {key: value for key, value in first.items() if value is not None} == {
        "index": 0, "uuid": "GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34", "vendor": "nvidia", "name": "NVIDIA L4", "usable": True,
        "architecture": "ada", "compute_capability": "8.9", "memory_total_bytes": 23034 * MIB, "memory_free_bytes": 22569 * MIB,
        "memory_reserved_bytes": 465 * MIB, "unified_memory": False, "display_attached": False, "virtual": False, "persistence_mode": False, "ecc": True,
        "pcie_generation": 4, "pcie_width": 16, "device_group_ids": [],
    }  # fmt: skip
    assert second["display_attached"] is True


@pytest.mark.parametrize(
    "trouble, code, words",
    [("18", "driver_library_mismatch", "Driver/library version mismatch"), ("999", "container_lost_gpu", "Unknown Error"), ("crash", "nvml_failed", "code -9")],
)
def test_a_driver_in_trouble(with_library, monkeypatch, trouble, code, words):
    monkeypatch.setenv("NVML_STAND_IN", trouble)
    facts = gather(no_programs(), root=with_library)
    assert codes(facts) == [code]
    assert words in facts["problems"][0]["message"]
    # What the kernel module tells of them is still there.
    assert [(device["name"], device["usable"]) for device in facts["devices"]] == [("NVIDIA L4", False)] * 2


def test_a_driver_that_hangs_costs_the_time_limit(with_library, monkeypatch):
    monkeypatch.setenv("NVML_STAND_IN", "hang")
    began = time.monotonic()
    facts = gather(no_programs(1), root=with_library)
    assert 0.9 < time.monotonic() - began < 5
    assert codes(facts) == ["nvml_timeout"]


def test_it_is_not_asked_where_nvidia_smi_answers(with_library, recorded):
    programs = recorded("l4")
    programs.call = None
    assert len(gather(programs, root=with_library)["devices"]) >= 1


def test_it_is_asked_where_nvidia_smi_can_not_be_run(with_library, tmp_path):
    broken = tmp_path / "nvidia-smi"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    facts = gather(Programs(lambda name: str(broken) if name == "nvidia-smi" else None, 10), root=with_library)
    assert (codes(facts), len(facts["devices"])) == (["nvidia_smi_failed"], 2)


def test_a_file_that_is_no_library(node, card):
    facts = gather(no_programs(), root=node({PLACE: "no library\n", "/dev/nvidiactl": "", **card("0000:01:00.0", "10de:27b8", driver="nvidia")}))
    assert codes(facts) == ["nvml_failed"]
    assert PLACE in facts["problems"][0]["message"]


def test_the_library_alone_is_no_driver(node):
    assert codes(gather(no_programs(), root=node({PLACE: "no library\n"}))) == []


def test_a_machine_that_can_start_no_process(monkeypatch):
    def full():
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    assert no_programs().call(len, "") == (126, "", "Resource temporarily unavailable")


class Library:
    """NVML made of Python functions. C(values): what a function puts into its last arguments, or the number of its error."""

    def __init__(self, **values):
        self.values = {"nvmlInit_v2": (), "nvmlDeviceGetCount_v2": (1,), "nvmlDeviceGetHandleByIndex_v2": (7,), "nvmlShutdown": (), **values}

    def __getattr__(self, name):
        if name == "nvmlErrorString":
            return lambda code: f"error {code.value}".encode()
        if name not in self.values:
            raise AttributeError(name)
        answer = self.values[name]

        def function(*arguments):
            given = answer(*arguments) if callable(answer) else answer
            if isinstance(given, int):
                return given
            if isinstance(given, bytes):
                arguments[-2].value = given
            elif isinstance(given, dict):
                for key, value in given.items():
                    setattr(arguments[-1]._obj, key, value)
            else:
                for argument, value in zip(arguments[len(arguments) - len(given) :], given):
                    argument._obj.value = value
            return 0

        # ctypes lets the kind of the result be set.
        return function


A100 = {
    "nvmlSystemGetDriverVersion": b"580.95.05",
    "nvmlSystemGetCudaDriverVersion_v2": (13000,),
    "nvmlDeviceGetName": b"NVIDIA A100-SXM4-40GB",
    "nvmlDeviceGetUUID": b"GPU-1",
    "nvmlDeviceGetPciInfo_v3": {"bus_id": b"00000000:0F:00.0"},
    "nvmlDeviceGetCudaComputeCapability": (8, 0),
    "nvmlDeviceGetMemoryInfo_v2": {"total": 40 * GIB, "free": 39 * GIB, "reserved": GIB // 2},
}


def found(library):
    """What nvml.py makes of a library's answers, which go through JSON as they do from the other process."""

    class Called:
        def call(self, function, *arguments):
            return 0, json.dumps(nvml_library.answers(library)), ""

    class Place(Tree):
        def exists(self, path):
            return path == PLACE

    return nvml.read(Place(), Called())


def test_what_the_library_does_not_know_is_none():
    (device,) = found(Library(**A100)).devices
    assert (device.pci_bus_id, device.memory_free_bytes, device.memory_reserved_bytes) == ("0000:0f:00.0", 39 * GIB, GIB // 2)
    assert (device.persistence_mode, device.ecc, device.display_attached, device.pcie_width) == (None, None, None, None)


def test_an_old_library_without_the_second_memory_function():
    old = {key: value for key, value in A100.items() if not key.endswith("Info_v2")}
    (device,) = found(Library(**old, nvmlDeviceGetMemoryInfo={"total": 40 * GIB, "free": 38 * GIB})).devices
    assert (device.memory_total_bytes, device.memory_free_bytes, device.memory_reserved_bytes) == (40 * GIB, 38 * GIB, None)


def test_a_gpu_without_memory_of_its_own():
    shared = {**A100, "nvmlDeviceGetMemoryInfo_v2": 3, "nvmlDeviceGetMemoryInfo": 3, "nvmlDeviceGetCudaComputeCapability": (12, 1)}
    (device,) = found(Library(**shared)).devices
    assert (device.unified_memory, device.memory_total_bytes) == (True, None)


@pytest.mark.parametrize(
    "number, code", [(4, "permission_denied"), (15, "gpu_lost"), (16, "gpu_needs_reset"), (999, "container_lost_gpu"), (2, "gpu_memory_unreadable")]
)
def test_memory_that_can_not_be_read(number, code):
    findings = found(Library(**{**A100, "nvmlDeviceGetMemoryInfo_v2": number, "nvmlDeviceGetMemoryInfo": number}))
    assert (findings.devices, [problem.code for problem in findings.problems]) == ((), [code])
    assert "0000:0f:00.0" in findings.problems[0].message


def test_one_of_two_is_lost():
    def handle(index, gpu):
        return 15 if index.value else (7,)

    findings = found(Library(**{**A100, "nvmlDeviceGetCount_v2": (2,), "nvmlDeviceGetHandleByIndex_v2": handle}))
    assert (len(findings.devices), [problem.code for problem in findings.problems]) == (1, ["gpu_lost"])


@pytest.mark.parametrize("number, code", [(9, "driver_not_loaded"), (17, "wsl_gpu_blocked"), (18, "driver_library_mismatch"), (77, "nvml_failed")])
def test_a_library_that_does_not_start(number, code):
    findings = found(Library(nvmlInit_v2=number))
    assert ([problem.code for problem in findings.problems], findings.problems[0].message) == ([code], f"NVML ({PLACE}): error {number}")


def mig(**more):
    instances = {8: b"NVIDIA A100-SXM4-40GB MIG 1g.5gb", 9: b"NVIDIA A100-SXM4-40GB MIG 2g.10gb"}

    def instance(gpu, index, handle):
        return 6 if index.value > 1 else (8 + index.value,)

    values = {
        **A100,
        "nvmlDeviceGetMigMode": (1, 1),
        "nvmlDeviceGetMaxMigDeviceCount": (7,),
        "nvmlDeviceGetMigDeviceHandleByIndex": instance,
        "nvmlDeviceGetName": lambda gpu, *rest: instances.get(gpu.value, b"NVIDIA A100-SXM4-40GB"),
        "nvmlDeviceGetUUID": lambda gpu, *rest: f"MIG-{gpu.value}".encode() if gpu.value in instances else b"GPU-1",
        "nvmlDeviceGetGpuInstanceId": lambda gpu, *rest: (gpu.value + 1,),
        "nvmlDeviceGetComputeInstanceId": (0,),
        "nvmlDeviceGetMemoryInfo_v2": lambda gpu, *rest: {"total": gpu.value * GIB, "free": gpu.value * GIB - 1} if gpu.value in instances else 4,
        **more,
    }
    return found(Library(**values))


def test_mig_instances():
    findings = mig()
    assert [
        (device.uuid, device.name, device.memory_total_bytes // GIB, device.mig["profile"], device.mig["gpu_instance_id"]) for device in findings.devices
    ] == [
        ("MIG-8", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", 8, "1g.5gb", 9),
        ("MIG-9", "NVIDIA A100-SXM4-40GB MIG 2g.10gb", 9, "2g.10gb", 10),
    ]
    assert [device.uuid for device in findings.divided] == ["GPU-1"] and findings.problems == ()


def test_mig_without_instances():
    findings = mig(nvmlDeviceGetMaxMigDeviceCount=(0,))
    assert ([problem.code for problem in findings.problems], findings.devices) == (["mig_without_instances"], ())


def test_more_gpus_than_any_machine_has_end():
    assert len(found(Library(**{**A100, "nvmlDeviceGetCount_v2": (2**32 - 1,)})).devices) == 256


def test_a_function_that_prints_does_not_disturb_and_one_that_fails_is_told(capfd):
    programs = no_programs()

    def prints():
        os.write(1, b"noise")
        return "answer"

    def fails():
        raise ValueError("no")

    assert programs.call(prints) == (0, "answer", "")
    assert programs.call(fails)[:2] == (126, "")
    assert capfd.readouterr() == ("", "")
    assert ctypes.sizeof(nvml_library._Memory2) == 40
