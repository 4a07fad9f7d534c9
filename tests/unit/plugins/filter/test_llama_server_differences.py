# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_differences as Ansible finds it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter.llama_server_differences import FilterModule

PLAN = {
    "model": {"files": [{"path": "/m.gguf"}]},
    "context": {"ctx_size": 8192, "n_ctx_train": 8192, "parallel": 2, "kv_unified": False},
}


def llama_server_differences(*args, **kwargs):
    return FilterModule().filters()["llama_server_differences"](*args, **kwargs)


def test_it_gives_plain_values():
    found = llama_server_differences(PLAN, {"total_slots": 2, "n_ctx": 8192, "model_path": "/m.gguf"})
    assert found["agrees"] is False
    assert found["differences"] == [
        {"what": "context per slot", "expected": 4096, "got": 8192, "cause": None, "message": "context per slot: planned 4096, found 8192"},
    ]
    assert found["differences"][0]["expected"].__class__.__name__ == "int"


def test_an_error_is_ansibles():
    with pytest.raises(AnsibleError, match="not a plan"):
        llama_server_differences({}, {})
