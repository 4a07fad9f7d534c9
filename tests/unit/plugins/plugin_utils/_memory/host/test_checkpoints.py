# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.checkpoints import checkpoint_bytes
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2


def one(name, **settings):
    model = truth.model(f"{name}.gguf")
    return checkpoint_bytes(model, resolve({"ctx_size": 32768, **settings}, model))


def test_the_state_of_a_hybrid_is_what_the_server_says():
    # "restored context checkpoint (..., size = 75.376 MiB)" in logs of Qwen3-Coder-Next and Qwen3-Next-80B-A3B; some bytes go to its headers
    assert one("Qwen3-Next-80B-A3B-Q4_K_M") / MIB == pytest.approx(75.376, abs=0.002)


def test_a_window_is_kept_of_the_blocks_that_have_one():
    # 12 of 24 blocks, 128 tokens, 8 heads of 64 elements for K and for V in f16
    assert one("gpt-oss-20b-MXFP4_MOE") == 12 * 128 * 2 * 8 * 64 * 2 + 128 * 12
    assert one("Gemma-3-27B-Q4_K_M") == 52 * 1024 * 2 * 16 * 128 * 2 + 1024 * 12


def test_it_is_one_sequence_whatever_the_slots_and_batches_are():
    for name in ("Gemma-3-27B-Q4_K_M", "Qwen3-Next-80B-A3B-Q4_K_M", "deepseek4"):
        assert one(name, parallel=1) == one(name, parallel=8, kv_unified=True, ubatch_size=2048, batch_size=4096)


def test_a_smaller_cache_type_makes_windows_smaller_but_not_states():
    assert one("Gemma-3-27B-Q4_K_M", cache_type_k="q8_0", cache_type_v="q8_0") < 0.55 * one("Gemma-3-27B-Q4_K_M")
    assert one("Qwen3-Next-80B-A3B-Q4_K_M", cache_type_k="q8_0", cache_type_v="q8_0") == one("Qwen3-Next-80B-A3B-Q4_K_M")


@pytest.mark.parametrize("name", ["Llama-3.1-8B-Q4_K_M", "DeepSeek-V3.1-Q4_K_M", "deepseek32-moe", "minimax-m3-moe", "bert", "gemma3-windows-off"])
def test_what_can_be_taken_back_needs_none(name):
    assert one(name) == 0


@pytest.mark.parametrize("name", ["Mamba-Codestral-7B-Q4_K_M", "rwkv7"])
def test_a_recurrent_model_keeps_its_whole_state(name):
    model = truth.model(f"{name}.gguf")
    assert one(name) == sum(families.cache(model, resolve({"ctx_size": 32768, "parallel": 1}, model)))


@pytest.mark.parametrize("path", sorted(truth.TRUTH.glob("headers/*.gguf")), ids=lambda path: path.stem)
def test_it_is_never_more_than_a_sequence_s_cache(path):
    model = truth.model(path.name)
    settings = resolve({"ctx_size": 8192, "parallel": 1, "flash_attn": "off" if path.stem == "plm" else "on"}, model)
    kept, cache = checkpoint_bytes(model, settings), sum(families.cache(model, settings))
    assert 0 <= kept <= cache + 8192 * 12
