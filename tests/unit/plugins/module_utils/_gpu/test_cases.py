# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every fixture: a node made of files and of what its programs print, and the facts that follow."""

from __future__ import annotations

import json
import pathlib
import tempfile
from types import SimpleNamespace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gpu.recorded import Recorded, unpacked

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
LINUX = {"sysname": "Linux", "machine": "x86_64", "release": "6.8.0-79-generic"}

DEVICE_KEYS = [
    "index", "uuid", "pci_bus_id", "vendor", "name", "usable", "architecture", "compute_capability", "gfx_target", "gpu_cores", "metal_family",
    "memory_total_bytes", "memory_free_bytes", "memory_reserved_bytes", "unified_memory", "display_attached", "mig", "virtual", "persistence_mode", "ecc",
    "pcie_generation", "pcie_width", "numa_node", "render_node", "device_group_ids",
]  # fmt: skip


def expected_of(case):
    return json.loads((FIXTURES / case / "expected.json").read_text())


def facts_of(case, **more):
    uname = SimpleNamespace(**expected_of(case).get("uname", LINUX))
    with tempfile.TemporaryDirectory() as root:
        return gather(Recorded(FIXTURES / case), root=unpacked(FIXTURES / case, root), uname=uname, **more)


def differences(expected, got, where="gpu"):
    """What of C(expected) is not so: dictionaries in part, lists in full."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [line for key, value in expected.items() for line in differences(value, got.get(key, "missing"), f"{where}.{key}")]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [line for number, pair in enumerate(zip(expected, got)) for line in differences(*pair, f"{where}[{number}]")]
    return [] if expected == got else [f"{where}: {got!r}, expected {expected!r}"]


@pytest.mark.parametrize("case", CASES)
def test_the_facts_of_a_node(case):
    expected, facts = expected_of(case), facts_of(case)
    assert differences(expected["facts"], facts) == []
    assert [problem["code"] for problem in facts["problems"]] == expected["problems"]
    messages = "\n".join(problem["message"] for problem in facts["problems"])
    assert [words for words in expected.get("words", []) if words not in messages] == []
    assert expected["facts"] or expected["problems"]


@pytest.mark.parametrize("case", CASES)
def test_the_shape_is_the_same_for_all(case):
    facts = facts_of(case)
    assert list(facts) == ["schema", "devices", "driver", "platform", "host", "problems"]
    assert facts["schema"] == 2
    assert [device["index"] for device in facts["devices"]] == list(range(len(facts["devices"])))
    for device in facts["devices"]:
        assert list(device) == DEVICE_KEYS
        total, free = device["memory_total_bytes"], device["memory_free_bytes"]
        assert total or not device["usable"]
        assert free is None or 0 <= free <= total
    assert sorted(facts["driver"]) == ["cuda_max", "library_version", "mismatch", "other_cards", "secure_boot", "uvm", "vendor", "version"]
    assert sorted(facts["platform"]) == [
        "cdi", "cgroup_version", "container", "engines", "gpu_operator", "jetson", "kernel", "kubernetes_node", "machine", "selinux", "system",
        "toolkit", "wsl",
    ]  # fmt: skip
    assert sorted(facts["host"]) == [
        "cores_logical", "cores_performance", "cores_physical", "cpu", "disks", "hugepages_free_bytes", "hugepages_total_bytes",
        "memory_available_bytes", "memory_bandwidth_bytes_per_second", "memory_bandwidth_theoretical_bytes_per_second", "memory_channels",
        "memory_limit_bytes", "memory_total_bytes", "memory_type", "numa_nodes", "simd",
    ]  # fmt: skip
    for problem in facts["problems"]:
        assert list(problem) == ["code", "message", "fix"]
        assert problem["fix"].endswith(".") and "\n" not in problem["message"]
    # It goes to the controller as JSON.
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("case", CASES)
def test_gathering_twice_gives_the_same(case):
    assert facts_of(case) == facts_of(case)


def test_the_table_of_the_fixtures_is_whole():
    rows = [line.split(" | ") for line in (FIXTURES / "README.md").read_text().splitlines() if line.startswith("| `")]
    sources = {case: expected_of(case)["source"] for case in CASES}
    assert {row[0].strip("| `"): row[1] for row in rows} == sources
    assert all(source == "constructed" or source.startswith("https://github.com/") for source in sources.values())
