# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_memory
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

FILTER = llama_memory.FilterModule().filters()["llama_memory"]


def test_it_answers():
    assert FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), devices=[{"free_bytes": 2**35}], ctx_size=4096)["devices"][0]["kv_bytes"] == 512 * 1024**2


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="ctx_size"):
        FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), ctx_sise=1)
