# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each variable of the role is documented, each that is documented is read, and entry points name those that they read."""

from __future__ import annotations

import pathlib
import re

import yaml

ROLE = pathlib.Path(__file__).parents[3] / "roles" / "llama_server_kubernetes"
FACTS = {"classes", "facts", "plans", "verdict", "answer"}
"""What the role sets."""


def read(pattern):
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROLE.glob(pattern))]
    return set(re.findall(r"(?<![\w.])llama_server_kubernetes_(\w+)", "".join(texts)))


def specs():
    found = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    return {name: {option.removeprefix("llama_server_kubernetes_") for option in spec["options"]} for name, spec in found.items()}


def test_each_variable_that_is_read_is_documented():
    assert read("tasks/*.yml") | read("vars/main.yml") == set().union(*specs().values()) | FACTS


def test_the_readme_has_each_variable():
    table = "\n".join(line for line in (ROLE / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `llama_server"))
    assert set(re.findall(r"`llama_server_kubernetes_(\w+)`", table)) - FACTS == set().union(*specs().values())


def test_the_facts_of_planning_are_those_that_need_no_server():
    found = specs()
    assert found["nodes"] < found["plan"] < found["main"] < found["render"]
    assert {"name", "namespace", "kubeconfig", "context"} <= found["verify"] & found["absent"]
