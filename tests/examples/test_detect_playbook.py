# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook prositronic.infra.detect on this machine and on described nodes: the table, and the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

GIB = 1024**3
DESCRIBED = {"gpus": [{"model": "nvidia-l4", "count": 2}], "ram_bytes": 64 * GIB, "cuda_max": "13.4"}


@pytest.fixture
def detect(tmp_path):
    """A function: options of ansible-playbook -> (exit status, output)."""

    def run(*options):
        hosts = {"here": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}, "described": {"llama_server_node": DESCRIBED}}
        inventory = tmp_path / "inventory.json"
        inventory.write_text(json.dumps({"llama_servers": {"hosts": hosts}}))
        environment = {**os.environ, "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_LOCALHOST_WARNING": "false"}
        command = ["ansible-playbook", "--inventory", str(inventory), *options, "prositronic.infra.detect"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def lines(output, node):
    return [line for line in output.splitlines() if line.strip().startswith(f'"{node} ')]


def test_a_table_of_all_nodes(detect):
    status, output = detect()
    assert status == 0, output
    assert [line.split()[1:4] for line in lines(output, "described")] == [["CUDA0", "NVIDIA", "L4"], ["CUDA1", "NVIDIA", "L4"]]
    assert all("cuda13" in line for line in lines(output, "described"))
    assert len(lines(output, "here")) >= 1


@pytest.mark.parametrize("ending, read", [("json", json.loads), ("yml", yaml.safe_load)])
def test_the_file(detect, tmp_path, ending, read):
    path = tmp_path / f"facts.{ending}"
    options = ("--extra-vars", f"llama_server_facts_file={path}")
    status, output = detect("--check", *options)
    assert status == 0 and not path.exists(), output
    status, output = detect(*options)
    assert status == 0, output
    text = path.read_text()
    assert text.endswith("\n") and text.startswith("{" if ending == "json" else "here:")
    kept = read(text)
    assert kept["described"] == DESCRIBED
    assert kept["here"]["schema"] == 2 and kept["here"]["host"]["memory_total_bytes"] > 0
    before = path.stat().st_mtime_ns
    status, output = detect("--limit", "described", *options)
    assert status == 0 and list(read(path.read_text())) == ["described"] and path.stat().st_mtime_ns > before
    status, output = detect("--limit", "described", *options)
    assert "changed=0" in output


def test_a_file_of_another_kind_is_refused(detect, tmp_path):
    status, output = detect("--extra-vars", f"llama_server_facts_file={tmp_path / 'facts.txt'}")
    assert status == 2
    assert "expected a name that ends in .json, .yml or .yaml" in output
    assert not (tmp_path / "facts.txt").exists()
