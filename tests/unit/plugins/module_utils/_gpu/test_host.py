# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The RAM and the processor of a node."""

from __future__ import annotations

import os

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import bandwidth, host
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

GIB = 1024**3
MEMINFO = "MemTotal:       67108864 kB\nMemFree:         1048576 kB\nMemAvailable:   33554432 kB\nActive(anon):    1 kB\nHugePages_Total:       0\n"

# Two sockets of two cores with two threads each.
X86 = "\n".join(f"processor\t: {cpu}\nmodel name\t: Test CPU @ 2.00GHz\nphysical id\t: {cpu // 2 % 2}\ncore id\t\t: {cpu % 2}\n" for cpu in range(8))
ARM = "processor\t: 0\nBogoMIPS\t: 2000.00\n\nprocessor\t: 1\nBogoMIPS\t: 2000.00\n"


def read(root, **more):
    return host.read(Tree(root), None, "Linux", **more)


def test_a_plain_node(node):
    files = {"/proc/meminfo": MEMINFO, "/proc/cpuinfo": X86, "/proc/self/cgroup": "0::/\n"}
    files.update((f"/sys/devices/system/node/node{number}/meminfo", "") for number in (0, 1))
    files["/sys/devices/system/node/possible"] = "0-1\n"
    assert read(node(files)) == {
        "memory_total_bytes": 64 * GIB,
        "memory_available_bytes": 32 * GIB,
        "memory_limit_bytes": None,
        "cores_physical": 4,
        "cores_logical": 8,
        "cores_performance": 4,
        "cpu": "Test CPU @ 2.00GHz",
        "numa_nodes": 2,
        "simd": [],
        "hugepages_total_bytes": None,
        "hugepages_free_bytes": None,
        "memory_bandwidth_bytes_per_second": None,
        "memory_bandwidth_theoretical_bytes_per_second": None,
        "memory_type": None,
        "memory_channels": None,
        "disks": [],
    }


def test_sysfs_knows_the_cores_where_cpuinfo_does_not(node):
    files = {"/proc/cpuinfo": ARM, "/sys/devices/system/cpu/cpufreq/policy0/x": ""}
    # The third is offline: it has a directory, but no topology.
    files["/sys/devices/system/cpu/cpu2/online"] = "0\n"
    files.update((f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", f"{cpu}\n") for cpu in (0, 1))
    found = read(node(files))
    assert (found["cores_physical"], found["cores_logical"], found["cpu"], found["numa_nodes"]) == (2, 2, None, 1)


def test_threads_share_a_core_in_sysfs(node):
    siblings = {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}
    files = {f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list": text for cpu, text in siblings.items()}
    assert read(node(files))["cores_physical"] == 2


@pytest.mark.parametrize(
    "cgroup, files",
    [
        pytest.param(
            "0::/system.slice/a.service\n",
            {
                "/sys/fs/cgroup/system.slice/a.service/memory.max": "max\n",
                "/sys/fs/cgroup/system.slice/memory.max": "17179869184\n",
                "/sys/fs/cgroup/system.slice/memory.current": "8589934592\n",
                "/sys/fs/cgroup/system.slice/memory.stat": "anon 1\ninactive_file 4294967296\n",
            },
            id="v2-limit-of-a-parent",
        ),
        pytest.param(
            "12:memory:/docker/0123\n0::/\n",
            {
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "17179869184\n",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes": "8589934592\n",
                "/sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 4294967296\n",
            },
            id="v1-path-of-the-host-in-a-container",
        ),
        pytest.param(
            "0::/\n",
            {
                "/sys/fs/cgroup/memory.max": "17179869184\n",
                "/sys/fs/cgroup/memory.current": "8589934592\n",
                "/sys/fs/cgroup/memory.stat": "inactive_file 4294967296\n",
            },
            id="v2-container",
        ),
    ],
)
def test_the_limit_of_a_control_group_counts(node, cgroup, files):
    found = read(node({"/proc/meminfo": MEMINFO, "/proc/self/cgroup": cgroup, **files}))
    assert (found["memory_total_bytes"], found["memory_limit_bytes"]) == (16 * GIB, 16 * GIB)
    # 16 GiB allowed, 8 used, 4 of these a page cache that gives way.
    assert found["memory_available_bytes"] == 12 * GIB


def test_the_smallest_limit_wins_and_free_ram_can_be_less_than_what_it_leaves(node):
    files = {"/proc/meminfo": MEMINFO, "/proc/self/cgroup": "0::/a/b\n"}
    files.update({"/sys/fs/cgroup/a/memory.max": str(60 * GIB), "/sys/fs/cgroup/a/b/memory.max": str(48 * GIB)})
    found = read(node(files))
    assert (found["memory_total_bytes"], found["memory_limit_bytes"], found["memory_available_bytes"]) == (48 * GIB, 48 * GIB, 32 * GIB)


def test_a_limit_above_the_ram_is_none(node):
    files = {"/proc/meminfo": MEMINFO, "/proc/self/cgroup": "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}
    found = read(node(files))
    assert (found["memory_total_bytes"], found["memory_limit_bytes"], found["memory_available_bytes"]) == (64 * GIB, None, 32 * GIB)


def test_a_system_without_proc_and_sys_still_tells_its_ram(node):
    found = read(node())
    assert found["memory_total_bytes"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found["cores_logical"] == os.cpu_count()
    assert (found["cores_physical"], found["cpu"], found["numa_nodes"], found["memory_limit_bytes"]) == (None, None, 1, None)


def test_a_system_whose_sysconf_does_not_know_memory(node, monkeypatch):
    def sysconf(name):
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", sysconf)
    found = read(node())
    assert (found["memory_total_bytes"], found["memory_available_bytes"]) == (None, None)


def test_free_space_of_a_directory_that_is_not_there_yet_is_that_of_the_one_it_will_be_in(node):
    root = node({"/srv/x": ""})
    disks = read(root, paths=["/srv", "/srv/models/large", "/srv/x"])["disks"]
    assert [disk["path"] for disk in disks] == ["/srv", "/srv/models/large", "/srv/x"]
    there = os.statvfs(root)
    for disk in disks:
        assert disk["total_bytes"] == there.f_blocks * there.f_frsize
        assert 0 < disk["free_bytes"] <= disk["total_bytes"]


def test_the_speed_of_the_ram(monkeypatch):
    monkeypatch.setattr(bandwidth, "_SECONDS", 0.05)
    # Slower than any memory made in this century, faster than any made so far.
    assert 1e8 < bandwidth.measured(None) < 1e14


def test_it_is_not_measured_where_memory_is_short():
    assert bandwidth.measured(200 << 20) is None


@pytest.mark.parametrize(
    "name, capacities, fast",
    [
        ("big-little", {0: 485, 1: 485, 2: 1024, 3: 1024}, 2),
        ("bins", {0: 997, 1: 1024}, 2),
        ("alike", {0: 1024, 1: 1024}, 2),
        ("three", {0: 400, 1: 870, 2: 1024}, 2),
    ],
)
def test_performance_cores_of_arm(node, name, capacities, fast):
    files = {}
    for cpu, capacity in capacities.items():
        files[f"/sys/devices/system/cpu/cpu{cpu}/cpu_capacity"] = f"{capacity}\n"
        files[f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"] = f"{cpu}\n"
    found = read(node(files))
    assert (found["cores_performance"], found["cores_physical"]) == (fast, len(capacities))


@pytest.mark.parametrize(
    "line, simd",
    [
        ("flags\t\t: fpu sse4_2 avx avx2 avx512f amx_tile amx_int8 amx_bf16 rdrand", ["sse4_2", "avx", "avx2", "avx512f", "amx_tile", "amx_int8", "amx_bf16"]),
        ("Features\t: fp asimd evtstrm asimddp sve sve2 svei8mm svebf16 i8mm", ["neon", "asimddp", "i8mm", "bf16", "sve", "sve2"]),
        ("Features\t: half thumb neon vfpv4", ["neon"]),
    ],
)
def test_vector_instructions(node, line, simd):
    assert read(node({"/proc/cpuinfo": f"processor\t: 0\n{line}\n\nprocessor\t: 1\n{line} more\n"}))["simd"] == simd


def test_an_instruction_that_one_processor_lacks_is_none(node):
    assert read(node({"/proc/cpuinfo": "processor : 0\nflags : avx2 avx512f\n\nprocessor : 1\nflags : avx2\n"}))["simd"] == ["avx2"]
