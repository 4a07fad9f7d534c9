# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What processes hold, beside what the plan allows them."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.differences import differences
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._verify.example import FACTS, MIB, TINY, TWO_L4, said

GIB = 1024 * MIB


def process(*gpus, ram=GIB):
    return {"pid": 7, "rss_bytes": 2 * ram, "rss_anon_bytes": ram, "gpus": list(gpus)}


def nvidia(uuid, mib):
    return {"uuid": uuid, "pci_bus_id": None, "used_bytes": mib * MIB}


@pytest.mark.parametrize("first, second, differ", [
    (10900, 10800, []),
    (9000, 10800, ["memory held on GPUs (CUDA0)"]),
    (10900, 11408, ["memory held on GPUs (CUDA1)"]),
    (10900, 11406, []),
])  # fmt: skip
def test_gpus_by_uuid(first, second, differ):
    verdict = differences(TWO_L4, said(TWO_L4, "cuda_two_gpus", process(nvidia("GPU-bb", second), nvidia("GPU-aa", first))), {})
    assert [row["what"] for row in verdict["differences"]] == differ
    assert {"memory held on GPUs (CUDA0)", "memory held on GPUs (CUDA1)", "RAM held"} <= set(verdict["checked"])


def test_too_much_though_the_buffers_are_as_planned_has_a_cause():
    (row,) = differences(TWO_L4, said(TWO_L4, "cuda_two_gpus", process(nvidia("GPU-aa", 20000), nvidia("GPU-bb", 10800))), {})["differences"]
    assert row["cause"] == "llama.cpp's buffers there are 10.3 GiB; the rest is the driver's and its libraries'"
    assert row["message"] == f"memory held on GPUs (CUDA0): planned at most 11.3 GiB, found 19.5 GiB ({row['cause']})"


def test_gpus_by_the_address_that_the_facts_know():
    held = process({"uuid": None, "pci_bus_id": "0000:00:04.0", "used_bytes": 20000 * MIB})
    verdict = differences(TWO_L4, said(TWO_L4, None, held), {"facts": FACTS})
    assert [row["what"] for row in verdict["differences"]] == ["memory held on GPUs (CUDA1)"]
    assert {row["what"]: row["why"] for row in verdict["not_checked"]}["memory held on GPUs (CUDA0)"].startswith("none of what")


def test_the_only_gpu_needs_no_name():
    held = process({"uuid": None, "pci_bus_id": "0000:00:04.0", "used_bytes": 100 * MIB})
    assert "memory held on GPUs (Vulkan0)" in differences(TINY, said(TINY, None, held), {})["checked"]


@pytest.mark.parametrize("ram, differ", [(8 * GIB, []), (9 * GIB, ["RAM held"])])
def test_ram(ram, differ):
    assert [row["what"] for row in differences(TINY, said(TINY, None, process(ram=ram)), {})["differences"]] == differ


def test_a_gpu_that_no_tool_shows_is_named_as_not_compared():
    assert {"what": "memory held on GPUs", "why": "no tool shows what the process holds on a GPU"} in differences(TINY, said(TINY, None, process()), {})[
        "not_checked"
    ]
