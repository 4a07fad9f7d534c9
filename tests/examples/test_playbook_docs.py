# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/playbooks.md and the playbooks' own headers say of them: every command, every variable, the table, and the example inventory."""

from __future__ import annotations

import json
import pathlib
import re
import shlex

import pytest
import yaml

from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

ROOT = pathlib.Path(__file__).parents[2]
HEADERS = ROOT / "tests" / "truth" / "headers"
DOCS = ROOT / "docs" / "playbooks.md"
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
CHANGE_NODES = ("deploy", "nvidia_container_toolkit", "remove", "site")

COMMANDS = sorted(
    {
        line.removeprefix("#").strip()
        for path in (DOCS, ROOT / "README.md", ROOT / "examples" / "inventory" / "hosts.yml", *PLAYBOOKS)
        for line in path.read_text().splitlines()
        if re.match(r"(# +)?ansible-playbook ", line)
    }
)


@pytest.fixture(scope="module")
def hub():
    """The models that the example inventory names, by their headers; that of the container host is one that can be deployed."""
    with serving() as web:
        for repository, name in {
            "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF": "Llama-3.1-8B-Q4_K_M.gguf",
            "unsloth/Qwen3-30B-A3B-GGUF": "Qwen3-30B-A3B-Q4_K_M.gguf",
            "unsloth/DeepSeek-V3.1-GGUF": "DeepSeek-V3.1-Q4_K_M.gguf",
        }.items():
            web.add_repository(repository, {name: (HEADERS / name).read_bytes()})
        yield web


@pytest.fixture
def example(play, hub, tmp_path):
    """A function: a command line of the documentation -> its Run on the example inventory. The host that is there is this machine."""
    (tmp_path / "inventory").symlink_to(ROOT / "examples" / "inventory")

    def run(command, *options, **variables):
        words = shlex.split(command, comments=True)
        (name,) = (word.removeprefix("prositronic.infra.") for word in words if word.startswith("prositronic.infra."))
        given = [word for word in words[1:] if not word.startswith("prositronic.infra.") and word not in ("-i", "inventory", "examples/inventory")]
        more = {**play.here, "llama_server_directory": str(tmp_path / "servers"), "llama_model_directory": str(tmp_path / "models"), **variables}
        return play(name, tmp_path / "inventory", *given, *options, "--extra-vars", json.dumps(more), HF_ENDPOINT=hub.url)

    return run


def test_the_worked_example(example, tmp_path):
    run = example("ansible-playbook -i inventory prositronic.infra.plan --limit l4", llama_server_report_files=[str(tmp_path / "report.json")])
    assert run.status == 0, run.output
    (node,) = json.loads((tmp_path / "report.json").read_text())["nodes"]
    large = {row["name"]: row for row in node["models"]}["large"]
    assert (large["deployed"], large["verdict"], large["gpu_layers"], large["ctx_size"], large["parallel"]) == (True, "gpu+ram", 62, 32768, 1)
    gpu, ram = large["memory"]
    assert gpu["kv_bytes"] == 61 * 576 * 2 * 32768
    assert gpu["used_bytes"] <= gpu["budget_bytes"] and ram["weights_bytes"] > 350 * 2**30


def test_the_table_in_the_documentation(example):
    """Without the host that is there, which is another machine wherever this runs."""
    run = example("ansible-playbook -i inventory prositronic.infra.plan --limit described")
    assert run.status == 0, run.output
    start = next(index for index, line in enumerate(run.shown) if "nodes, 3 models" in line)
    end = next(index for index, line in enumerate(run.shown) if line.startswith("GPU: "))
    assert "\n".join(run.shown[start : end + 1]) in DOCS.read_text(), "\n".join(run.shown[start : end + 1])


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, example, tiny_model, tmp_path):
    """What would change the machine is only looked at; so is a server that is not there."""
    name = re.search(r"prositronic\.infra\.(\w+)", command)[1]
    look = ("--check",) if name in (*CHANGE_NODES, "verify") else ()
    run = example(command, *look, llama_server_model=str(tiny_model), llama_server_target="embedded")
    assert run.status == 0, run.output
    # A file that is named without a path is where the command was typed.
    for name in re.findall(r"llama_server_(?:report_files|facts_file)=(\S+)", command):
        assert (tmp_path / name).exists()


def test_there_is_a_command_for_each_playbook():
    assert {re.search(r"prositronic\.infra\.(\w+)", command)[1] for command in COMMANDS} == {path.stem for path in PLAYBOOKS}


def test_the_toolkit_knows_the_roles_default():
    """A playbook does not see the defaults of a role, so its own has to be the same."""
    (default,) = re.findall(r"llama_server_target \| default\('(\w+)'\)", (ROOT / "playbooks" / "parts" / "toolkit.yml").read_text())
    assert default == yaml.safe_load((ROOT / "roles" / "llama_server" / "defaults" / "main.yml").read_text())["llama_server_target"]


def test_every_variable_is_in_the_table():
    """The variables that playbooks read and nobody sets are those of the table, and those that roles document."""
    of_roles = {
        name
        for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
        for spec in yaml.safe_load(path.read_text())["argument_specs"].values()
        for name in spec.get("options", {})
    }
    texts = [path.read_text() for path in (ROOT / "playbooks").rglob("*.yml")]
    code = "\n".join(line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#"))
    read = set(re.findall(r"(?<![.\w])llama_server_[a-z_]+", code))
    made = set(re.findall(r"^ +(llama_server_[a-z_]+):", code, re.MULTILINE)) | set(re.findall(r"register: (\w+)", code))
    made |= {"llama_server_recalled_plan", "llama_server_recalled_measured", "llama_server_verified_url"}  # of the roles
    made |= {"llama_server_kubernetes_classes", "llama_server_kubernetes_facts", "llama_server_kubernetes_plans"}
    table = set(re.findall(r"^\| `(llama_server_\w+)`", DOCS.read_text(), re.MULTILINE))
    assert table == read - made - of_roles
