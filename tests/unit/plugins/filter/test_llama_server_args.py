# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_server_args

FILTER = llama_server_args.FilterModule().filters()["llama_server_args"]


def test_it_answers():
    assert FILTER({"server": {"args": []}}, model="/m")[:2] == ["--model", "/m"]


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="not a plan"):
        FILTER({})
