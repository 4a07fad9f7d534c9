# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families, refused
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


@pytest.mark.parametrize("architecture", sorted(refused.ARCHITECTURES))
def test_an_architecture_that_llama_server_does_not_serve_alone(architecture):
    model = replace(truth.model("llama-dense.gguf"), architecture=architecture)
    with pytest.raises(InfraError, match=f"does not serve architecture '{architecture}' by itself: "):
        families.cache(model, resolve({}, model))


@pytest.mark.parametrize(
    "name, given, message",
    [
        ("plm.gguf", {}, "llama.cpp stops at PLM with flash attention"),
        ("phi2.gguf", {"cache_type_k": "q8_0"}, "settings.cache_type_k: heads of 80 elements cannot be kept in blocks of 32"),
        ("deepseek2-mla.gguf", {"cache_type_k": "q8_0"}, "need one type"),
        ("deepseek4.gguf", {"cache_type_k": "q8_0"}, "need one type"),
    ],
)
def test_what_llama_cpp_refuses(name, given, message):
    model = truth.model(name)
    with pytest.raises(InfraError, match=message):
        families.cache(model, resolve(given, model))


def test_plm_has_a_cache_without_flash_attention():
    model = truth.model("plm.gguf")
    assert families.cache(model, resolve({"flash_attn": "off", "ctx_size": 4096, "parallel": 1}, model)) == (4096 * 16 * (192 + 128) * 2,) * 8
