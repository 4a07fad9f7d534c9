# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families, next_token
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def cache(name, **given):
    model = truth.model(name)
    return families.cache(model, resolve({"ctx_size": 4096, "parallel": 1, "mtp": "context", **given}, model))


def test_only_the_last_block_has_a_cache():
    *trunk, last = cache("qwen35-nextn.gguf")
    assert set(trunk) == {0}
    assert last == 4096 * 2 * 256 * 2 * 2


def test_latent_attention_keeps_one_row():
    assert cache("deepseek32-nextn.gguf")[-1] == 4096 * 576 * 2


def test_deepseek_4_keeps_a_window_of_both():
    assert cache("deepseek4-nextn.gguf")[-1] == 768 * 2 * 512 * 2


@pytest.mark.parametrize("name", ["exaone-moe-nextn.gguf", "glm4-nextn.gguf", "dots3note-nextn.gguf", "glm5-next-nextn.gguf"])
def test_architectures_whose_prediction_llama_cpp_does_not_run_are_refused(name):
    with pytest.raises(InfraError, match="llama.cpp runs no next-token prediction of architecture"):
        cache(name)


def test_a_model_without_such_blocks_is_refused():
    with pytest.raises(InfraError, match="the model has no blocks for next-token prediction"):
        cache("qwen35.gguf")


def test_every_kind_has_a_row_in_the_truth():
    recorded = {truth.model(name).architecture for name, rows in truth.rows().items() if any(row["settings"]["mtp"] == "context" for row in rows)}
    assert set(next_token.KINDS) <= recorded
