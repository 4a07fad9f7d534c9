# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import attention, hybrid, recurrent
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def test_every_fourth_block_has_attention():
    model = truth.model("Qwen3-Next-80B-A3B-Q4_K_M.gguf")
    assert [block for block, here in enumerate(hybrid.attention_blocks(model)) if here] == list(range(3, 48, 4))
    settings = resolve({"ctx_size": 4096, "parallel": 1}, model)
    got = hybrid.cache(model, settings)
    assert got[0] == recurrent.state_bytes(model, settings)
    assert got[3] == attention.cache(model, settings)[3]


def test_blocks_without_kv_heads_are_recurrent():
    model = truth.model("Granite-4.0-H-Small-Q4_K_M.gguf")
    heads = attention.kv_heads(model)
    assert hybrid.recurrent_blocks(model) == tuple(head == 0 for head in heads)
    assert any(heads) and not all(heads)


def test_falcon_h1_has_both_in_every_block():
    model = truth.model("falcon-h1-dense.gguf")
    settings = resolve({"ctx_size": 4096, "parallel": 1}, model)
    both = recurrent.state_bytes(model, settings) + attention.cache(model, settings)[0]
    assert hybrid.cache(model, settings) == (both,) * model.n_layer_all


def test_a_feed_forward_block_of_nemotron_has_neither():
    model = truth.model("nemotron_h_moe-dense.gguf")
    model = replace(
        model,
        hyperparameters=MappingProxyType({**model.hyperparameters, "block_count": 3, "attention.head_count_kv": [0, 2, 0], "feed_forward_length": [0, 0, 64]}),
    )
    assert hybrid.recurrent_blocks(model) == (True, False, False)
    assert hybrid.attention_blocks(model) == (False, True, False)


def test_the_window_of_lfm2_is_for_its_blocks_with_attention():
    model = truth.model("lfm2-dense.gguf")
    short, long = (hybrid.cache(model, resolve({"ctx_size": size, "parallel": 1}, model)) for size in (8192, 131072))
    assert short == long
