# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

NODE = {"host": {"memory_total_bytes": 2**34, "memory_available_bytes": 2**34}}

FILTER = llama_plan.FilterModule().filters()["llama_plan"]


def test_it_answers():
    assert FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), NODE)["fits"] is True


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="host"):
        FILTER(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), {})
