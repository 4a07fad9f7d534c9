# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory of processes: this test's own, and those of made-up trees of /proc and /sys."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.tree import descendants, of_control_group
from ansible_collections.prositronic.infra.plugins.module_utils._server.usage import usage

KIB, MIB = 1024, 1024 * 1024
SMI = """#!/bin/sh
test "$*" = "--query-compute-apps=pid,gpu_uuid,used_memory --format=csv,noheader,nounits" || exit 2
cat <<'END'
{rows}
END
"""


def no_programs(_name):
    return None


@pytest.fixture
def tree(tmp_path):
    """A function: path and text of a file to make; gives the root."""

    def write(path, text):
        file = tmp_path / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(tmp_path / "root")

    return write


def process(tree, pid, rss, anon=0, parent=1, group="0::/system.slice/llama.service\n"):
    tree(f"proc/{pid}/status", f"Name:\tllama-server\nVmRSS:\t  {rss} kB\nRssAnon:\t  {anon} kB\n")
    tree(f"proc/{pid}/stat", f"{pid} (llama) server) S {parent} 1 1\n")
    return tree(f"proc/{pid}/cgroup", group)


@pytest.fixture
def nvidia_smi(tmp_path):
    def find_with(rows):
        program = tmp_path / "nvidia-smi"
        program.write_text(SMI.format(rows=rows))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return lambda name: str(program) if name == "nvidia-smi" else None

    return find_with


def test_a_real_process():
    seen = usage([os.getpid()], no_programs, 5)
    assert seen["pid"] == os.getpid() and seen["rss_bytes"] >= seen["rss_anon_bytes"] > MIB


@pytest.mark.parametrize("pids", [[], [999_999_999]])
def test_no_process(pids):
    assert usage(pids, no_programs, 5) is None


def test_the_server_and_not_who_watches_over_it(tree):
    process(tree, 10, 2000)
    root = process(tree, 11, 800_000, 500_000, parent=10)
    tree("sys/fs/cgroup/system.slice/llama.service/memory.current", "1000000\n")
    assert usage([10, 11], no_programs, 5, root) == {
        "pid": 11, "rss_bytes": 800_000 * KIB, "rss_anon_bytes": 500_000 * KIB, "cgroup_bytes": 1_000_000, "gpus": [],
    }  # fmt: skip


def test_the_control_group_of_version_1(tree):
    root = process(tree, 10, 2000, group="9:memory:/docker/abc\n1:name=systemd:/docker/abc\n0::/docker/abc\n")
    tree("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "7\n")
    assert usage([10], no_programs, 5, root)["cgroup_bytes"] == 7


def test_nvidia(tree, nvidia_smi):
    root = process(tree, 10, 2000)
    find = nvidia_smi("10, GPU-aa, 1000\n10, GPU-bb, 24\n99, GPU-aa, 5000\n10, GPU-aa, 1\n10, GPU-cc, [N/A]\nNo running processes found")
    assert usage([10], find, 5, root)["gpus"] == [
        {"uuid": "GPU-aa", "pci_bus_id": None, "used_bytes": 1001 * MIB},
        {"uuid": "GPU-bb", "pci_bus_id": None, "used_bytes": 24 * MIB},
    ]


# Keys of amdgpu (Linux 6.1 and 6.13), xe with two tiles and i915, as the kernel's drm-usage-stats.rst and the drivers have them.
@pytest.mark.parametrize("fdinfo, used", [
    ("drm-driver:\tamdgpu\ndrm-memory-vram:\t2048 KiB\ndrm-memory-gtt: \t999 KiB\n", 2 * MIB),
    ("drm-driver:\tamdgpu\ndrm-total-vram:\t9 MiB\ndrm-resident-vram:\t3 MiB\ndrm-memory-vram:\t3 MiB\n", 3 * MIB),
    ("drm-driver:\txe\ndrm-resident-system:\t5 MiB\ndrm-resident-vram0:\t3 MiB\ndrm-resident-vram1:\t4 MiB\n", 7 * MIB),
    ("drm-driver:\ti915\ndrm-total-local0:\t6 MiB\ndrm-resident-local0:\t5 MiB\n", 5 * MIB),
    ("drm-driver:\tamdgpu\ndrm-memory-vram:\t17\n", 17),
])  # fmt: skip
def test_amd_and_intel(tree, fdinfo, used):
    root = process(tree, 10, 2000)
    for number in (7, 8):  # two files of one client
        tree(f"proc/10/fdinfo/{number}", f"pos:\t0\n{fdinfo}drm-pdev:\t0000:03:00.0\ndrm-client-id:\t42\n")
    tree("proc/10/fdinfo/9", "pos:\t0\n")
    assert usage([10], no_programs, 5, root)["gpus"] == [{"uuid": None, "pci_bus_id": "0000:03:00.0", "used_bytes": used}]


def test_rocm_counts_in_its_own_account(tree):
    root = process(tree, 10, 2000)
    tree("sys/class/kfd/kfd/topology/nodes/0/gpu_id", "0\n")
    tree("sys/class/kfd/kfd/topology/nodes/1/gpu_id", "51424\n")
    tree("sys/class/kfd/kfd/topology/nodes/1/properties", "simd_count 96\nlocation_id 768\ndomain 0\n")
    tree("sys/class/kfd/kfd/proc/10/vram_51424", "9000000\n")
    tree("proc/10/fdinfo/7", "drm-pdev:\t0000:03:00.0\ndrm-client-id:\t42\ndrm-memory-vram:\t9 KiB\n")
    assert usage([10], no_programs, 5, root)["gpus"] == [{"uuid": None, "pci_bus_id": "0000:03:00.0", "used_bytes": 9_000_000}]


def test_processes_that_others_started(tree):
    process(tree, 10, 1, parent=1)
    process(tree, 11, 1, parent=10)
    process(tree, 12, 1, parent=11)
    root = process(tree, 13, 1, parent=1)
    assert descendants(10, root) == [10, 11, 12]


def test_processes_of_a_control_group(tree):
    tree("sys/fs/cgroup/system.slice/llama.service/cgroup.procs", "")
    tree("sys/fs/cgroup/system.slice/llama.service/supervisor/cgroup.procs", "10\n")
    root = tree("sys/fs/cgroup/system.slice/llama.service/libpod-payload-1/cgroup.procs", "11\n12\n")
    assert sorted(of_control_group("/system.slice/llama.service", root)) == [10, 11, 12]
    assert of_control_group("/none", root) == []
