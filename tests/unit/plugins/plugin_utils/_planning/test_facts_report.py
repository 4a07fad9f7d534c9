# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.facts import facts_by_node
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.facts_report import HEAD, NOT_USED, facts_report

GIB = 1024**3
CLUSTER = pathlib.Path(__file__).parents[1] / "_kubernetes" / "fixtures" / "nodes.yml"


def rows(text):
    """Each row of the table as {column: cell}, by the places of the heads."""
    head, *lines = text.partition("\n\n")[0].splitlines()
    starts = [head.index(name) for name in HEAD]
    return [{name: line[start:end].strip() for name, start, end in zip(HEAD, starts, [*starts[1:], None], strict=True)} for line in lines]


def test_a_row_for_each_gpu():
    text = facts_report({"a": {"gpus": [{"model": "nvidia-l4", "count": 2}], "ram_bytes": 64 * GIB, "cuda_max": "13.4"}, "b": {"ram_bytes": 8 * GIB}})
    assert rows(text) == [
        {"Node": "a", "GPU": "CUDA0", "Name": "NVIDIA L4", "Memory": "22.5 GiB", "Free": "22.0 GiB", "Driver": "-", "CUDA": "13.4", "Backend": "cuda13",
         "RAM": "64.0 GiB", "Available": "64.0 GiB", "Problems": "-"},
        {"Node": "a", "GPU": "CUDA1", "Name": "NVIDIA L4", "Memory": "22.5 GiB", "Free": "22.0 GiB", "Driver": "-", "CUDA": "13.4", "Backend": "cuda13",
         "RAM": "64.0 GiB", "Available": "64.0 GiB", "Problems": "-"},
        {"Node": "b", "GPU": "-", "Name": "no GPU", "Memory": "-", "Free": "-", "Driver": "-", "CUDA": "-", "Backend": "cpu",
         "RAM": "8.0 GiB", "Available": "8.0 GiB", "Problems": "-"},
    ]  # fmt: skip
    assert "!" not in text


def test_problems_are_named_and_told_below():
    facts = {"devices": [], "driver": {"version": "580.95.05"}, "host": {"memory_total_bytes": GIB, "memory_available_bytes": GIB}}
    facts["problems"] = [
        {"code": "nouveau", "message": "the nouveau driver holds it", "fix": "Blacklist it."},
        {"code": "nouveau", "message": "another", "fix": ""},
    ]
    text = facts_report({"n": facts})
    assert (rows(text)[0]["Problems"], rows(text)[0]["Driver"]) == ("nouveau", "580.95.05")
    assert text.endswith("\n\nProblems\n  ! n: the nouveau driver holds it. Blacklist it.\n  ! n: another.")


def test_a_gpu_that_is_not_used_is_there_too(facts):
    mixed = facts(8, name="AMD Radeon RX 7600", vendor="amd")
    mixed["devices"] += facts(24, name="NVIDIA L4")["devices"]
    mixed["devices"][1]["uuid"] = "other"
    used, other = rows(facts_report({"n": mixed}))
    assert (used["Name"], other["Name"], other["Backend"], other["Memory"]) == ("NVIDIA L4", "AMD Radeon RX 7600", NOT_USED, "8.0 GiB")


@pytest.mark.parametrize("broken", [None, 3, {}, {"gpus": [{"model": "nvidia-l40000"}], "ram_bytes": 1}, {"schema": 1, "host": {}}])
def test_a_node_that_can_not_be_read_does_not_hide_the_others(broken):
    text = facts_report({"bad": broken, "good": {"ram_bytes": GIB}})
    assert [row["Problems"] for row in rows(text)] == ["unreadable", "-"]
    assert "\n  ! bad: node" in text


def test_why_a_node_could_not_be_asked():
    text = facts_report({"gone": {"error": "Connection refused"}, "good": {"ram_bytes": GIB}})
    assert [row["Problems"] for row in rows(text)] == ["unreadable", "-"]
    assert text.endswith("\n  ! gone: Connection refused")


def test_what_a_node_says_is_shown_safely(facts):
    text = facts_report({"n\x1b[31m": facts(24, name="NVIDIA\n\x1b]0;x\x07L4" + "x" * 500)})
    assert text.isprintable() or all(letter.isprintable() or letter == "\n" for letter in text)
    assert "node.devices[0].name: not a name" in " ".join(text.split())


def test_a_whole_cluster():
    """What labels tell can be planned with."""
    by_node = facts_by_node(yaml.safe_load(CLUSTER.read_text()))
    found, count = {}, {}
    for row in rows(facts_report(by_node)):
        found.setdefault(row["Node"], set()).add(row["Backend"])
        count[row["Node"]] = count.get(row["Node"], 0) + 1
    assert (count["mig-single"], count["h100-x8"], count["no-gpu"]) == (7, 8, 1)
    assert found == {
        "gke-t4": {"cuda12"}, "h100-x8": {"cuda12"}, "gb200": {"cuda12"}, "two-kinds": {"cuda12"},
        "mig-single": {"cuda12", NOT_USED}, "mig-mixed": {"cuda12", NOT_USED},
        "l4-shared": {"cpu"}, "driver-broken": {"cpu"}, "unknown-product": {"cpu"}, "a770": {"cpu"}, "no-gpu": {"cpu"},
        "mi300x": {"rocm"}, "mi300x-vf": {"rocm"}, "b60": {"sycl"},
    }  # fmt: skip


def test_no_dictionary_of_nodes():
    with pytest.raises(InfraError, match="not a dictionary of nodes"):
        facts_report([])
