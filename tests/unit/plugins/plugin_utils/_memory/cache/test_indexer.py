# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import indexer
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def owners(model):
    return [bool(size) for size in indexer.cache(model, resolve({"ctx_size": 4096, "parallel": 1}, model))]


def with_hyperparameters(name, **changed):
    model = truth.model(name)
    return replace(model, hyperparameters=MappingProxyType({**model.hyperparameters, **changed}))


def test_every_block_has_one_key_of_one_head_per_token():
    model = truth.model("deepseek32-moe.gguf")
    length = model.integer("attention.indexer.key_length")
    got = indexer.cache(model, resolve({"ctx_size": 4096, "parallel": 1}, model))
    assert got == (4096 * length * 2,) * model.n_layer_all


def test_blocks_that_share_an_indexer_have_no_keys():
    model = with_hyperparameters("glm-dsa-moe.gguf", **{"block_count": 3, "attention.indexer.types": [1, 0, 1]})
    assert owners(model) == [True, False, True]


def test_without_a_list_glm_models_of_long_context_have_the_built_in_one():
    assert [block for block, owner in enumerate(owners(truth.model("glm-dsa-shared-indexers.gguf"))) if owner] == [0, 1, 2, 6, 10]
    assert owners(truth.model("glm-dsa-own-indexers.gguf")) == [True] * 8 + [False]


def test_dense_blocks_of_minimax_m3_have_none():
    model = with_hyperparameters("minimax-m3-moe.gguf", leading_dense_block_count=1)
    assert owners(model) == [False] + [True] * (model.n_layer_all - 1)
