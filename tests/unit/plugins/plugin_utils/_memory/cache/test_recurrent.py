# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import recurrent
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def test_the_state_depends_on_slots_alone():
    model = truth.model("Mamba-Codestral-7B-Q4_K_M.gguf")
    one = recurrent.cache(model, resolve({"ctx_size": 4096, "parallel": 1}, model))
    assert one == recurrent.cache(model, resolve({"ctx_size": 131072, "parallel": 1, "cache_type_k": "q8_0"}, model))
    assert [4 * size for size in one] == list(recurrent.cache(model, resolve({"ctx_size": 4096, "parallel": 4}, model)))


def test_each_token_that_a_draft_may_get_wrong_is_a_state_more():
    model = truth.model("qwen35.gguf")
    one = recurrent.state_bytes(model, resolve({"parallel": 2}, model))
    assert recurrent.state_bytes(model, resolve({"parallel": 2, "spec_draft_n_max": 3}, model)) == 4 * one


def test_one_block_of_qwen_4_keeps_n_grams_too():
    model = truth.model("qwen4exp-moe.gguf")
    got = [recurrent.history_bytes(model, resolve({"parallel": 2}, model), block) for block in range(2)]
    assert got == [4 * 2 * (4 - 1) * 3 * 4 * 256, 0]


def test_a_convolution_of_four_and_a_state():
    model = truth.model("Mamba-Codestral-7B-Q4_K_M.gguf")
    inner, state, groups = (model.integer(f"ssm.{key}") for key in ("inner_size", "state_size", "group_count"))
    assert recurrent.state_bytes(model, resolve({"parallel": 1}, model)) == 4 * (3 * (inner + 2 * groups * state) + state * inner)
