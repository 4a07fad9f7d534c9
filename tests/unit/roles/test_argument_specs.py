# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The defaults of a role are those that its argument specification documents."""

from __future__ import annotations

import pathlib

import pytest
import yaml

ROLES = sorted((pathlib.Path(__file__).parents[3] / "roles").glob("[a-z]*"))


def read(role, name):
    return yaml.safe_load((role / name).read_text()) or {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_the_documented_ones(role):
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert read(role, "defaults/main.yml") == documented


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_entry_points_are_specified_and_options_carry_the_roles_name(role):
    specs = read(role, "meta/argument_specs.yml")["argument_specs"]
    for entry_point, spec in specs.items():
        assert (role / "tasks" / f"{entry_point}.yml").exists()
        assert spec["short_description"] and spec["description"]
        assert all(name.startswith(f"{role.name}_") for name in spec.get("options", {}))
