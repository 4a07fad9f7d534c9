# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook prositronic.infra.plan on described nodes: what is done once for all of them, and what each answers for alone."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

HEADERS = pathlib.Path(__file__).parents[1] / "truth" / "headers"
GIB = 1024**3
NODE = {
    "devices": [{"vendor": "nvidia", "name": "NVIDIA L4", "uuid": "GPU-1", "memory_total_bytes": 22 * GIB, "memory_free_bytes": 22 * GIB}],
    "host": {"memory_total_bytes": 64 * GIB, "memory_available_bytes": 62 * GIB},
}


@pytest.fixture
def plan(tmp_path):
    """A function: variables of each host -> (exit status, output); the plans are in tmp_path/plans."""

    def run(hosts, *options):
        nodes = {name: {"llama_server_node": NODE, **more} for name, more in hosts.items()}
        inventory = tmp_path / "inventory.json"
        inventory.write_text(json.dumps({"llama_servers": {"hosts": nodes}}))
        environment = {**os.environ, "no_proxy": "*", "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_LOCALHOST_WARNING": "false"}
        command = ["ansible-playbook", "--inventory", str(inventory), *options, "prositronic.infra.plan"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def plans_in(directory):
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_a_header_is_read_once_for_all_nodes(plan, tmp_path):
    with serving() as web:
        web.files["/model.gguf"] = (HEADERS / "Llama-3.1-8B-Q4_K_M.gguf").read_bytes()
        web.files["/other.gguf"] = (HEADERS / "Qwen3-8B-Q4_K_M.gguf").read_bytes()
        address = web.url.replace("//", "//somebody:secret@")
        hosts = {f"node{number}": {"llama_server_model": f"{address}/{'other' if number == 3 else 'model'}.gguf"} for number in range(1, 5)}
        status, output = plan(hosts, "-v", "--extra-vars", f"llama_server_plan_directory={tmp_path / 'plans'}")
        assert status == 0, output
        assert sorted(path for path, _headers in web.requests) == ["/model.gguf", "/other.gguf"]
    assert "secret" not in output
    assert plans_in(tmp_path / "plans") == [f"node{number}.{ending}" for number in range(1, 5) for ending in ("txt", "yml")]
    assert "Qwen3-8B" in (tmp_path / "plans" / "node3.txt").read_text()
    assert "Llama-3.1-8B" in (tmp_path / "plans" / "node4.txt").read_text()


@pytest.mark.parametrize("order", [("bad", "good", "unkept"), ("unkept", "good", "bad")])
def test_a_node_whose_model_is_missing_fails_alone(plan, tmp_path, order):
    model = str(HEADERS / "Llama-3.1-8B-Q4_K_M.gguf")
    hosts = {
        "bad": {"llama_server_model": str(tmp_path / "missing.gguf")},
        "good": {"llama_server_model": model, "llama_server_plan_directory": str(tmp_path / "plans")},
        "unkept": {"llama_server_model": model},
    }
    status, output = plan({name: hosts[name] for name in order}, "--forks", "1")
    assert status == 2
    assert "missing.gguf: the model file does not exist" in output
    assert plans_in(tmp_path / "plans") == ["good.txt", "good.yml"]
    assert "on unkept: fits" in output
