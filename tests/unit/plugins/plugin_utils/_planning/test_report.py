# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.report import WIDTH, report
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def bars(text):
    return {line.split("[")[0].strip(): line.split("[")[1].split("]")[0] for line in text.splitlines() if "[" in line}


def test_bars_show_what_is_used_against_what_is_free(facts):
    got = report(plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), facts(16, ram_gib=16), {"ctx_size": 32768}))
    assert got.splitlines()[0].endswith("on node: fits")
    drawn = bars(got)["CUDA0"]
    assert len(drawn) == WIDTH
    assert drawn.count("█") == pytest.approx(WIDTH * 4617 / 1024 / 16 / 1.024, abs=1.5)
    assert drawn.count("▓") == WIDTH * 4 // 16
    assert "·" in drawn


def test_what_does_not_fit_fills_the_bar_and_is_said(facts):
    got = report(plan(truth.plain("GLM-4.5-Air-Q4_K_M.gguf"), facts(ram_gib=16), {}))
    assert "DOES NOT FIT" in got.splitlines()[0]
    assert "·" not in bars(got)["RAM"]
    assert len(bars(got)["RAM"]) == WIDTH
    assert "Does not fit: RAM lacks" in got


def test_reasons_and_warnings_are_shown(facts):
    made = plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), facts(80), {"ctx_size": 200000})
    got = report(made)
    assert all(f"  - {reason}" in got for reason in made["reasons"])
    assert all(f"  ! {warning}" in got for warning in made["warnings"])


def test_the_ram_and_the_speed_have_a_line_each(facts):
    node = facts(24, ram_gib=64, memory_bandwidth_bytes_per_second=300 * 10**9, matrix_flops=10**14)
    node["host"]["memory_bandwidth_bytes_per_second"] = 100 * 10**9
    lines = report(plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), node, {"ctx_size": 32768})).splitlines()
    starts = {line.split()[0]: line for line in lines if line and not line.startswith(" ")}
    assert "to start" in starts["RAM"] and "to run without paging" in starts["RAM"]
    assert "tokens/s (" in starts["Decode"] and starts["Decode"].endswith("bound by CUDA0 memory")
    assert starts["Prefill"].endswith("bound by CUDA0 compute")
    guessed = report(plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), facts(24), {"ctx_size": 32768}))
    assert "bound by CUDA0 memory, from assumed rates" in guessed
    assert "rests on an assumption" in guessed


def test_what_is_no_plan_is_refused():
    with pytest.raises(InfraError, match="not a plan"):
        report({"fits": True})


def test_the_answer_is_one_line_with_its_speed(facts):
    made = plan(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), facts(80), {})
    got = report(made, "Why?", {"content": "a\x1b[2Jb\nc" + "x" * 500, "predicted_per_second": 12.34})
    assert got.splitlines()[-2] == "Asked    Why?"
    assert got.splitlines()[-1].startswith("Answered 'a [2Jb cxxx")
    assert got.endswith("...', 12.3 tokens/s")
    assert report(made) in got
