# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every option of the filter llama_server_manifests is a variable of the role, and each variable is documented."""

from __future__ import annotations

import pathlib
import re

import yaml

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.options import ONLY, SPEC

ROLE = pathlib.Path(__file__).parents[3] / "roles" / "llama_server"
# Asked of the plan, said by the facts of the node, or only for texts that nothing writes.
NOT_VARIABLES = {"emit", "podman_version", "api_key_secret", "directory", "log_verbosity", "public_name"}


def variables():
    return yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))


def names(text):
    return set(re.findall(r"'(\w+)': ", text))


def test_the_role_gives_every_option_that_is_a_variable():
    given = names(variables()["__llama_server_options"])
    for text in variables()["__llama_server_target_options"].values():
        given |= names(text or "")
    assert given == set(SPEC) - NOT_VARIABLES


def test_options_of_one_target_are_given_to_no_other():
    for target, text in variables()["__llama_server_target_options"].items():
        if target != "embedded":
            assert names(text) == {name for name, targets in ONLY.items() if target in targets} - NOT_VARIABLES


def test_each_variable_that_is_read_is_documented():
    specs = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    documented = set().union(*(spec["options"] for spec in specs.values()))
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(ROLE.rglob("*.yml")) if "meta" not in path.parts)
    made = {"llama_server_recalled_plan", "llama_server_recalled_measured", "llama_server_verified_url", "llama_server_verdict", "llama_server_measured"}
    plugins = set(re.findall(r"prositronic\.infra\.(llama_server\w*)", text))
    assert set(re.findall(r"(?<![\w.])llama_server_\w+", text)) - made - (plugins - documented) == documented
