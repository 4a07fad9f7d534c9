# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import llama_server_manifests
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy import options
from ansible_collections.prositronic.infra.plugins.plugin_utils._plain import to_plain
from ansible_collections.prositronic.infra.tests.fuzz import bounds
from ansible_collections.prositronic.infra.tests.unit.plugins.filter.test_hostile import VALUES, answer
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases

FILTER = llama_server_manifests.FilterModule().filters()["llama_server_manifests"]


def test_it_answers_with_plain_values():
    got = FILTER(cases.planned("one-gpu"), "quadlet", model="/srv/models/model.gguf")
    assert got["unit"] == "llama-server-default" and to_plain(got) == got


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="not a plan"):
        FILTER({}, "quadlet")


@pytest.mark.parametrize("option", [*options.SPEC, "a" * 100_000, "\x1b[2J"])
def test_any_value_of_an_option(option):
    made = cases.planned("amd")
    target = options.ONLY.get(option, ("quadlet",))[0]
    outcomes = [bounds.within_here(lambda value=value: answer(FILTER, made, target, **{"model": "/srv/models/model.gguf", option: value})) for value in VALUES]
    assert all(outcome == "answer" or outcome.startswith(("llama_server_manifests", ascii(option[:50])[1:-1])) for outcome in outcomes), outcomes
    assert sum(outcome != "answer" for outcome in outcomes) > 10
