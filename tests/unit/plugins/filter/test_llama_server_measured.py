# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_measured as Ansible finds it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter.llama_server_measured import FilterModule
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._verify.example import TINY, said

llama_server_measured = FilterModule().filters()["llama_server_measured"]


def test_it_gives_plain_values():
    kept = llama_server_measured(TINY, said(TINY, "vulkan"))
    assert kept["measured"]["devices"] == [{"name": "Vulkan0", "buffers_bytes": 27682407, "held_bytes": None}]


def test_an_error_is_ansibles():
    with pytest.raises(AnsibleError, match="not a plan"):
        llama_server_measured({}, {})
