# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_model_names

FILTER = llama_model_names.FilterModule().filters()["llama_model_names"]


def test_it_answers():
    assert FILTER(["/models/model.gguf", "hf:org/repo:Q4_K_M"]) == {"model": "/models/model.gguf", "repo:Q4_K_M": "hf:org/repo:Q4_K_M"}


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="models: not models"):
        FILTER(3)
