# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pathlib
from dataclasses import fields

import pytest
import yaml
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import nvidia_container_toolkit_steps as plugin
from ansible_collections.prositronic.infra.plugins.plugin_utils._toolkit.wishes import SPEC, Wishes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._toolkit import nodes

FILTER = plugin.FilterModule().filters()["nvidia_container_toolkit_steps"]
OPTIONS = yaml.safe_load(plugin.DOCUMENTATION)["options"]
ROLE = pathlib.Path(__file__).parents[4] / "roles" / "nvidia_container_toolkit"


def test_it_answers():
    assert FILTER(*nodes.node(), hold=True)["packages"]["hold"] is True


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="Did you mean 'version'"):
        FILTER(*nodes.node(), verison="1.20.0")


def test_the_documented_options_are_those_there_are_with_their_defaults():
    assert set(OPTIONS) - {"_input", "node"} == set(SPEC) == {field.name for field in fields(Wishes)}
    for name, option in OPTIONS.items():
        if "default" in option:
            default = getattr(Wishes(), name)
            assert option["default"] == (list(default) if isinstance(default, tuple) else default)


def test_the_role_gives_all_of_them():
    given = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["__nvidia_container_toolkit_wishes"]
    assert set(given) | {"state"} == set(SPEC)
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    assert {f"nvidia_container_toolkit_{name}" for name in given} == set(defaults)
