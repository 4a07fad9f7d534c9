# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_failure as Ansible finds it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter.llama_server_failure import FilterModule
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import read

llama_server_failure = FilterModule().filters()["llama_server_failure"]


def test_it_gives_a_sentence():
    assert llama_server_failure({"model": {}}, read("port_taken")).startswith("the server can't listen on 127.0.0.1 port 18090")


def test_an_error_is_ansibles():
    with pytest.raises(AnsibleError, match="not the log of a server"):
        llama_server_failure({"model": {}}, "no log")
