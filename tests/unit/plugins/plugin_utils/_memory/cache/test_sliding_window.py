# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import sliding_window
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


@pytest.fixture
def gemma():
    """62 blocks, five windows of 1024 tokens to one full block."""
    return truth.model("Gemma-3-27B-Q4_K_M.gguf")


def with_hyperparameters(model, **changed):
    return replace(model, hyperparameters=MappingProxyType({**model.hyperparameters, **changed}))


def test_every_sixth_block_sees_everything(gemma):
    windowed = sliding_window.windowed_blocks(gemma)
    assert [block for block, window in enumerate(windowed) if not window] == list(range(5, 62, 6))


def test_a_window_has_room_for_a_micro_batch_and_is_padded(gemma):
    assert sliding_window.window_cells(1024, resolve({"ctx_size": 32768, "parallel": 1}, gemma)) == 1536
    assert sliding_window.window_cells(1024, resolve({"ctx_size": 32768, "parallel": 4, "kv_unified": True}, gemma)) == 4608
    assert sliding_window.window_cells(1024, resolve({"ctx_size": 32768, "parallel": 1, "ubatch_size": 2048}, gemma)) == 3072
    assert sliding_window.window_cells(1024, resolve({"ctx_size": 512, "parallel": 1}, gemma)) == 512


def test_a_file_without_a_window_has_full_attention(gemma):
    without = with_hyperparameters(gemma, **{"attention.sliding_window": 0})
    assert not any(sliding_window.windowed_blocks(without))
    settings = resolve({"ctx_size": 32768, "parallel": 1}, without)
    assert len(set(sliding_window.cache(without, settings))) == 1


def test_a_pattern_in_the_file_is_used(gemma):
    listed = with_hyperparameters(gemma, **{"attention.sliding_window_pattern": [True] * 61 + [False]})
    assert sliding_window.windowed_blocks(listed) == (True,) * 61 + (False,)
    other = with_hyperparameters(gemma, **{"attention.sliding_window_pattern": 2})
    assert sliding_window.windowed_blocks(other)[:4] == (True, False, True, False)


def test_an_architecture_that_needs_the_list_is_refused_without_it():
    model = truth.model("mimo2-moe.gguf")
    hyperparameters = {key: value for key, value in model.hyperparameters.items() if key != "attention.sliding_window_pattern"}
    with pytest.raises(InfraError, match="has no list 'mimo2.attention.sliding_window_pattern'"):
        sliding_window.windowed_blocks(replace(model, hyperparameters=MappingProxyType(hyperparameters)))


def test_blocks_that_share_a_cache_have_none():
    gemma4 = replace(
        truth.model("Gemma-3-27B-Q4_K_M.gguf"),
        architecture="gemma4",
        hyperparameters=MappingProxyType(
            {
                **truth.model("Gemma-3-27B-Q4_K_M.gguf").hyperparameters,
                "attention.sliding_window_pattern": [block % 6 != 5 for block in range(62)],
                "attention.shared_kv_layers": 20,
                "attention.key_length_swa": 64,
                "attention.value_length_swa": 64,
            }
        ),
    )
    sizes = sliding_window.cache(gemma4, resolve({"ctx_size": 4096, "parallel": 1}, gemma4))
    assert sizes[42:] == (0,) * 20
    assert sizes[0] == 1536 * 16 * (64 + 64) * 2
    assert sizes[5] == 4096 * 16 * (128 + 128) * 2
