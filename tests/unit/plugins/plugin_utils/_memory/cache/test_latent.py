# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import latent
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def test_the_worked_example():
    """61 blocks, 512 + 64 elements of F16 each, 32768 tokens: 2196 MiB."""
    model = truth.model("DeepSeek-V3.1-Q4_K_M.gguf")
    got = latent.cache(model, resolve({"ctx_size": 32768, "parallel": 1}, model))
    assert got[:61] == ((512 + 64) * 2 * 32768,) * 61
    assert sum(got) == 2196 * 1024**2


def test_a_file_from_before_mla_holds_all_heads():
    model = truth.model("DeepSeek-V3.1-Q4_K_M.gguf")
    without = {key: value for key, value in model.hyperparameters.items() if not key.endswith("_mla")}
    without.update({"attention.head_count_kv": 128, "attention.key_length": 192, "attention.value_length": 128})
    old = replace(model, hyperparameters=MappingProxyType(without))
    got = latent.cache(old, resolve({"ctx_size": 4096, "parallel": 1}, old))
    assert got[0] == 128 * (192 + 128) * 2 * 4096
