# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.server_args import server_args

PLAN = {"model": {"files": [{"path": "/models/a-00001-of-00002.gguf"}]}, "server": {"args": ["--fit", "off"]}}


def test_the_model_and_the_address_come_first():
    assert server_args(PLAN, {}) == ["--model", "/models/a-00001-of-00002.gguf", "--host", "127.0.0.1", "--port", "8080", "--no-ui", "--fit", "off"]


def test_options_are_used():
    got = server_args(PLAN, {"model": "/m.gguf", "alias": "a", "host": "0.0.0.0", "port": 1, "api_key_file": "/k", "ui": True})
    assert got[:11] == ["--model", "/m.gguf", "--alias", "a", "--host", "0.0.0.0", "--port", "1", "--api-key-file", "/k", "--ui"]


@pytest.mark.parametrize(
    "plan, options, message",
    [
        ({}, {}, "not a plan"),
        ("plan", {}, "not a plan"),
        (PLAN, {"prot": 8080}, "Did you mean 'port'?"),
        (PLAN, {"port": "http"}, "llama_server_args.port: not an integer"),
        ({**PLAN, "model": {"files": [{"path": None, "url": "https://x"}]}}, {}, "Say where it lies on the node with model="),
    ],
)
def test_what_can_not_be_is_refused(plan, options, message):
    with pytest.raises(InfraError) as error:
        server_args(plan, options)
    assert message in str(error.value)
