# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory import MIB
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning import apart
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.sizes import Sizes

BLOCK = {"ffn_up_exps": 100 * MIB, "ffn_gate_exps": 100 * MIB, "ffn_down_exps": 150 * MIB}
FOUR = dict.fromkeys(range(4), BLOCK)
ALL = tuple(BLOCK)


def freed(tensors, chosen):
    return sum(tensors[block][name] for block, names in chosen.items() for name in names) // MIB


def test_nothing_stays_in_ram_where_there_is_room():
    assert apart.choose(FOUR, 0) == apart.choose(FOUR, -5) == {}


def test_whole_blocks_then_single_tensors_of_the_last():
    chosen = apart.choose(FOUR, 450 * MIB)
    assert chosen[0] == ALL
    assert (set(chosen), freed(FOUR, chosen)) == ({0, 1}, 450)


def test_blocks_are_taken_from_either_end():
    assert set(apart.choose(FOUR, 600 * MIB)) == {0, 1}
    assert set(apart.choose(FOUR, 600 * MIB, from_last=True)) == {2, 3}


def test_one_block_more_is_touched_only_where_that_frees_less():
    sizes = {0: {"ffn_up_exps": 100 * MIB}, 1: {"ffn_up_exps": 60 * MIB}, 2: {"ffn_up_exps": 70 * MIB}}
    # 0 alone frees 40 too many; 1 alone all that is needed
    assert apart.choose(sizes, 60 * MIB) == {1: ("ffn_up_exps",)}
    # what is little to a token is not worth a change of the device more
    tensors = {0: {"ffn_up_exps": 60 * MIB, "ffn_down_exps": 41 * MIB}, 1: {"ffn_up_exps": 39 * MIB}}
    assert apart.choose(tensors, 99 * MIB) == {0: ("ffn_up_exps", "ffn_down_exps")}
    assert apart.choose({**tensors, 1: {"ffn_up_exps": 30 * MIB}}, 89 * MIB) == {0: ("ffn_up_exps",), 1: ("ffn_up_exps",)}


def test_all_of_them_may_not_be_enough():
    assert apart.choose(FOUR, 1401 * MIB) is None
    assert freed(FOUR, apart.choose(FOUR, 1400 * MIB)) == 1400
    assert apart.choose({0: {}}, 1) is None


def sizes_of_four(has_experts=True, names=ALL):
    return Sizes(blocks=(0,) * 4, apart=tuple(dict.fromkeys(names, MIB) for _block in range(4)), output=0, share=1.0, has_experts=has_experts)


def test_the_first_blocks_have_a_plain_option():
    assert apart.flags({0: ALL, 1: ALL}, sizes_of_four(), ["CUDA0"] * 4) == (2, [])
    # block 0 is on the host whole
    assert apart.flags({1: ALL}, sizes_of_four(), [None, "CUDA0", "CUDA0", "CUDA0"]) == (2, [])


def test_single_tensors_are_put_back_on_the_device_of_their_block():
    assert apart.flags({0: ALL, 1: ("ffn_up_exps",)}, sizes_of_four(), ["CUDA0", "CUDA1", "CUDA1", "CUDA1"]) == (
        2,
        ["blk\\.1\\.(ffn_down_exps|ffn_gate_exps)=CUDA1"],
    )


@pytest.mark.parametrize(
    "chosen, has_experts, inside, outside",
    [
        (
            {1: ALL, 3: ("ffn_up_exps",)},
            True,
            ["blk.1.ffn_up_exps.weight", "blk.1.ffn_down_exps.bias", "blk.3.ffn_up_exps.weight"],
            ["blk.11.ffn_up_exps.weight", "blk.3.ffn_down_exps.weight", "blk.1.ffn_up_shexp.weight", "blk.0.ffn_up_exps.weight"],
        ),
        (
            {0: ("ffn_up", "ffn_down"), 1: ("ffn_up", "ffn_down")},
            False,
            ["blk.0.ffn_up.weight", "blk.1.ffn_down.weight"],
            ["blk.0.ffn_up.bias", "blk.0.ffn_gate.weight", "blk.10.ffn_up.weight"],
        ),
    ],
)
def test_other_blocks_are_named_by_patterns(chosen, has_experts, inside, outside):
    n_cpu_moe, overrides = apart.flags(chosen, sizes_of_four(has_experts), ["CUDA0"] * 4)
    assert n_cpu_moe == 0
    patterns = []
    for text in overrides:
        pattern, _equals, buffer = text.rpartition("=")
        assert buffer == "CPU"
        # a comma would end it on llama-server's command line
        assert "," not in pattern
        patterns.append(re.compile(pattern))
    for name in inside:
        assert any(pattern.search(name) for pattern in patterns), name
    for name in outside:
        assert not any(pattern.search(name) for pattern in patterns), name
