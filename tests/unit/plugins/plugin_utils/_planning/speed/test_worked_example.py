# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DeepSeek V3.1 on an L4 with its experts in RAM (docs/memory.md, docs/speed.md): what each memory delivers to a token, and what follows."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.speed.predicted import node_with, throughput_of

GB = 10**9
MIB = 1024**2
SETTINGS = {"ctx_size": 32768, "cpu_moe": True}


def told(gb_per_second, gpus=("nvidia-l4",), **settings):
    return throughput_of("DeepSeek-V3.1-Q4_K_M", node_with(gpus, gb_per_second * GB), **{**SETTINGS, **settings})


def test_a_token_reads_the_dense_part_half_of_the_cache_and_the_experts_that_it_uses():
    read = told(200)["decode"]["bytes_per_token"]
    assert read["CUDA0"] // MIB == 9521 + 2196 // 2
    assert read["RAM"] / MIB == pytest.approx(375_732 * 8 / 256, abs=1)


@pytest.mark.parametrize("ram, least, most", [(100, 3.6, 4.2), (200, 5.8, 6.8), (460, 9.0, 10.5)])
def test_decode_by_the_bandwidth_of_the_ram(ram, least, most):
    decode = told(ram)["decode"]
    assert least <= decode["tokens_per_second_expected"] <= most
    assert decode["tokens_per_second_low"] < decode["tokens_per_second_expected"] < decode["tokens_per_second_high"] <= decode["tokens_per_second_at_most"]
    assert decode["bound_by"] == ("RAM" if ram < 460 else "CUDA0 memory")


def test_the_gpu_does_not_help_a_token_beside_twelve_channels_but_helps_a_prompt():
    got = told(460, ubatch_size=2048)
    assert 10.5 <= got["without_gpus"]["decode_tokens_per_second_expected"] <= 12
    assert got["prefill"]["tokens_per_second_expected"] > got["without_gpus"]["prefill_tokens_per_second_expected"]
    (note,) = [note for note in got["notes"] if "does not make generating faster" in note]
    assert "helps with prompts" in note
    assert not any("does not make generating faster" in note for note in told(100, ubatch_size=2048)["notes"])


def test_small_batches_make_the_gpu_no_help_with_prompts_either():
    (note,) = [note for note in told(460)["notes"] if "does not make generating faster" in note]
    assert "does not help with prompts either" in note


def test_a_prompt_waits_for_the_bus_and_less_often_with_larger_batches():
    small, large = told(460)["prefill"], told(460, ubatch_size=2048)["prefill"]
    assert (small["batch_tokens"], small["bound_by"]) == (512, "PCIe")
    # more than half of the RAM of 512 GiB: it isn't pinned
    assert small["seconds_per_batch"]["PCIe"] == pytest.approx(375_732 * MIB / (31.5 * GB * 0.4), rel=0.01)
    assert large["tokens_per_second_expected"] > 2.5 * small["tokens_per_second_expected"]


def test_without_op_offload_the_cpu_works_on_its_part():
    got = told(460, op_offload=False)["prefill"]
    assert "PCIe" not in got["seconds_per_batch"] and "CPU compute" in got["seconds_per_batch"]


def test_what_is_assumed_is_named():
    got = throughput_of("DeepSeek-V3.1-Q4_K_M", node_with(("nvidia-l4",)), **SETTINGS)
    assert got["assumed"] == {"RAM memory_bandwidth_bytes_per_second": 60 * GB}
    assert got["decode"]["tokens_per_second_at_most"] is None and got["without_gpus"] is None
    assert "factor of two" in got["notes"][0]
    assert got["decode"]["tokens_per_second_high"] / got["decode"]["tokens_per_second_low"] > 4
