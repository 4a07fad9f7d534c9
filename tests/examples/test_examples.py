# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every example in the documentation, run by ansible-playbook.

What an example names but this machine has not is put in its place: a header from tests/truth for a model, a web server
on this machine for the Hub, a llama-server for the server.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tarfile

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.report import report
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

ROOT = pathlib.Path(__file__).parents[2]
# A list of packages, signed with a key of its own.
REPOSITORY = pathlib.Path(__file__).parent / "repository"
REPOSITORY_FINGERPRINT = "777D2080950F86CDAF5E5543EEB059B9881CA2B6"
HEADER = ROOT / "tests" / "truth" / "headers" / "Llama-3.1-8B-Q4_K_M.gguf"
NODES = ROOT / "tests" / "unit" / "plugins" / "plugin_utils" / "_kubernetes" / "fixtures" / "nodes.yml"


def plugin_examples(path):
    """The EXAMPLES of a plugin's file."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES":
            return ast.literal_eval(node.value)
    raise AssertionError(f"{path} has no EXAMPLES")


def documents():
    """(name, YAML text) of every example: plugins, roles, Markdown."""
    for kind in ("filter", "lookup", "modules"):
        for path in sorted((ROOT / "plugins" / kind).glob("[a-z]*.py")):
            yield f"{kind}/{path.stem}", plugin_examples(path)
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        for entry_point, spec in yaml.safe_load(path.read_text())["argument_specs"].items():
            if "examples" in spec:
                yield f"roles/{path.parts[-3]}/{entry_point}", spec["examples"]
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "roles").glob("*/README.md"))):
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)):
            yield f"{path.relative_to(ROOT)}/{number}", block


DOCUMENTS = dict(documents())


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A directory for everything that examples make, with the models and keys they name."""
    directory = tmp_path_factory.mktemp("examples")
    (directory / "files").mkdir()
    shutil.copy(HEADER, directory / "files" / "small.gguf")
    (directory / "keys").write_text("a key\n")
    (directory / "nodes.json").write_text(json.dumps({"kind": "List", "items": yaml.safe_load(NODES.read_text())}))
    return directory


@pytest.fixture(scope="session")
def tiny_model(place):
    path = place / "tiny.gguf"
    subprocess.run([sys.executable, ROOT / "examples/demo/tiny_model.py", path], check=True)
    return path


@pytest.fixture(scope="session")
def web():
    with serving() as server:
        data = HEADER.read_bytes()
        server.files["/large.gguf"] = server.files["/models/model.gguf"] = data
        for path in ("gpgkey", "deb/amd64/InRelease", "deb/amd64/Packages"):
            server.files[f"/libnvidia-container/{path}"] = (REPOSITORY / path).read_bytes()
        server.add_repository("org/repo", {"model-Q4_K_M.gguf": data})
        server.add_repository("org/Some-Model-GGUF", {"model-Q4_K_M.gguf": data})
        yield server


@pytest.fixture(scope="session")
def run(place, web):
    """A function: YAML text of tasks or plays, further replacements -> runs it, fails with its output."""
    replacements = {
        "https://example.com": web.url,
        "https://hub.example.com": web.url,
        "/etc/llama/api_keys": str(place / "keys"),
        "/srv/models": str(place / "models"),
        "/tmp/nodes.json": str(place / "nodes.json"),
        "/tmp/prositronic-infra-example": str(place / "example"),
        "/tmp/report.txt": str(place / "report.txt"),
    }
    environment = {
        **os.environ,
        "HF_ENDPOINT": web.url,
        "no_proxy": "*",
        "ANSIBLE_INJECT_FACT_VARS": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }

    def go(name, text, *options, model=HEADER, **more):
        for old, new in {**replacements, **more}.items():
            text = text.replace(old, new)
        text = re.sub(r"/models/[\w.-]+\.gguf", str(model), text)
        playbook = place / f"{name.replace('/', '-')}.yml"
        playbook.write_text(yaml.safe_dump(as_plays(yaml.safe_load(text), model), sort_keys=False))
        command = ["ansible-playbook", "--inventory", "localhost,", "--connection", "local", str(playbook), *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return go


def as_plays(items, model):
    """Plays moved to this machine; tasks in a play of their own, with the variables that examples take as given."""
    tasks = [item for item in items if "hosts" not in item]
    plays = [item for item in items if "hosts" in item]
    if tasks:
        plays.insert(0, {"gather_facts": False, "tasks": [{"prositronic.infra.gpu_facts": {}}, *tasks]})
    for play in plays:
        play["hosts"] = "localhost"
        play["vars"] = {
            "ansible_python_interpreter": sys.executable,
            "vault_hf_token": "a-token",
            "plan": f"{{{{ lookup('prositronic.infra.gguf', '{model}') | prositronic.infra.llama_plan(ansible_facts['gpu'], backend='cpu') }}}}",
            **play.get("vars", {}),
        }
    return plays


@pytest.fixture(scope="session")
def server(run, place, tiny_model):
    """The address of a server that the example of the role's README has started."""
    port = free_port()
    settings = {
        "llama_server_port": port,
        "llama_server_directory": str(place / "llama_server"),
        "llama_server_embedded_python": sys.executable,
        # Where the example has another, this machine may have none to run it. Molecule's llama_server_targets has.
        "llama_server_target": "embedded",
    }

    def play(task):
        text = DOCUMENTS["roles/llama_server/README.md/0"] if task is None else task
        plays = yaml.safe_load(text.replace("ansible_facts['gpu'], ", "ansible_facts['gpu'], backend='cpu', "))
        plays[0].setdefault("vars", {}).update(settings)
        run("server", yaml.safe_dump(plays), model=tiny_model)

    play(None)
    yield f"http://127.0.0.1:{port}"
    play("""
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: prositronic.infra.llama_server
        tasks_from: absent
""")


def test_the_plan_in_the_readme_is_the_one_of_the_demo():
    described = yaml.safe_load((ROOT / "examples/demo/inventory/host_vars/l4-24gb.yml").read_text())
    header = ROOT / "tests" / "truth" / "headers" / pathlib.PurePath(described["llama_server_model"]).name
    made = plan(read_model(str(header)), described["llama_server_node"], {"node_name": "l4-24gb"})
    assert f"```\n{report(made)}\n```" in (ROOT / "README.md").read_text()


VARIABLES = {name for name, text in DOCUMENTS.items() if isinstance(yaml.safe_load(text), dict)}
OF_A_SERVER = {"modules/llama_server_info", "filter/llama_server_differences", "filter/llama_server_failure", "filter/llama_server_measured"} | {
    name for name in DOCUMENTS if name.startswith("docs/verify.md/")
}
OF_A_REPOSITORY = {"modules/package_index_info"}
# Only looked at: this machine may be one with a GPU.
CHANGES_THE_MACHINE = {"roles/nvidia_container_toolkit/README.md/0"}
STARTS_A_SERVER = {"modules/embedded_server", "roles/llama_server/README.md/0"}
OF_A_RELEASE = {"modules/llama_server_build", "modules/release_archive"}
# Molecule's llama_server_targets runs them on a machine that has Podman and systemd.
IN_MOLECULE = {"modules/llama_server_service"}
# tests/kube runs them, on a control plane.
OF_A_CLUSTER = {
    "modules/kubernetes_nodes_info",
    "modules/kubernetes_release_info",
    "modules/kubernetes_llama_server_info",
    "roles/llama_server_kubernetes/README.md/0",
}


APART = VARIABLES | OF_A_SERVER | STARTS_A_SERVER | OF_A_REPOSITORY | OF_A_RELEASE | OF_A_CLUSTER | IN_MOLECULE | CHANGES_THE_MACHINE


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - APART))
def test_example(name, run):
    run(name, DOCUMENTS[name])


@pytest.mark.parametrize("name", sorted(CHANGES_THE_MACHINE))
def test_example_in_check_mode(name, run):
    run(name, DOCUMENTS[name], "--check")


@pytest.mark.parametrize("name", sorted(OF_A_REPOSITORY))
def test_example_with_a_repository(name, run, web):
    nvidia = {"https://nvidia.github.io/libnvidia-container/stable": f"{web.url}/libnvidia-container",
              "https://nvidia.github.io/libnvidia-container": f"{web.url}/libnvidia-container",
              "C95B 321B 61E8 8C18 09C4 F759 DDCA E044 F796 ECB0": REPOSITORY_FINGERPRINT}  # fmt: skip
    run(name, DOCUMENTS[name], **nvidia)


@pytest.mark.parametrize("name", sorted(OF_A_SERVER))
def test_example_with_a_server(name, run, server, tiny_model, place):
    log = place / "llama_server" / "instances" / "default" / "server.log"
    run(name, DOCUMENTS[name], model=tiny_model, **{"http://127.0.0.1:8080": server, "/var/log/llama-server.log": str(log)})


def test_example_of_the_embedded_server(run, server, place, tiny_model):
    port = str(free_port())
    replacements = {
        "/opt/llama/instances": str(place / "instances"),
        "/opt/llama/": f"{place}/llama_server/",
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        '"8080"': f'"{port}"',
    }
    run("embedded_server", DOCUMENTS["modules/embedded_server"], model=tiny_model, **replacements)


@pytest.mark.parametrize("name", sorted(OF_A_RELEASE))
def test_example_with_a_release(name, run, web, place):
    program = place / "release" / "llama-server"
    program.parent.mkdir(exist_ok=True)
    program.write_text("#!/bin/sh\necho 'version: 11312 (0c1e57098)' >&2\n")
    program.chmod(0o755)
    with tarfile.open(place / "release.tar.gz", "w:gz") as archive:
        archive.add(program, "llama-b11312/llama-server")
    web.files["/release.tar.gz"] = (place / "release.tar.gz").read_bytes()
    replacements = {
        "https://github.com/ggml-org/llama.cpp/releases/download/b11312/llama-b11312-bin-ubuntu-vulkan-x64.tar.gz": f"{web.url}/release.tar.gz",
        "0123456789abcdef" * 4: hashlib.sha256(web.files["/release.tar.gz"]).hexdigest(),
        "/opt/llama.cpp": str(place / "opt"),
        "/usr/bin/llama-server": str(program),
    }
    run(name, DOCUMENTS[name], **replacements)


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_variables_are_those_of_a_role_or_of_the_playbooks(name):
    known = set(re.findall(r"^\| `(llama_server_\w+)`", (ROOT / "docs" / "playbooks.md").read_text(), re.MULTILINE))
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for spec in yaml.safe_load(path.read_text())["argument_specs"].values():
            known |= set(spec.get("options", {}))
    assert set(yaml.safe_load(DOCUMENTS[name])) <= known
