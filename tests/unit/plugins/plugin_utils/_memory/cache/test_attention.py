# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import attention
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def test_a_row_of_k_and_v_per_token_and_block():
    model = truth.model("Llama-3.1-8B-Q4_K_M.gguf")
    got = attention.cache(model, resolve({"ctx_size": 32768, "parallel": 1}, model))
    assert got == (32768 * 8 * (128 + 128) * 2,) * 32
    assert sum(got) == 4096 * 1024**2


def test_slots_with_a_cache_each_hold_the_same_context_in_all():
    model = truth.model("Llama-3.1-8B-Q4_K_M.gguf")
    apart, alone = (attention.cache(model, resolve({"ctx_size": 65536, "parallel": slots}, model)) for slots in (4, 1))
    assert apart == alone


def test_blocks_for_next_token_prediction_have_none():
    model = truth.model("GLM-4.5-Air-Q4_K_M.gguf")
    got = attention.cache(model, resolve({"ctx_size": 4096}, model))
    assert (len(got), got[-1], got[0]) == (47, 0, 4096 * 8 * (128 + 128) * 2)
