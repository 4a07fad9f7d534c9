# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks, run as somebody types them."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What a playbook did: its exit status and all that it wrote."""

    status: int
    output: str

    @property
    def plays(self):
        """(name of the play, {task: hosts that did it, in their order}) in the order in which they were run."""
        found = []
        for line in self.output.splitlines():
            head = re.match(r"(PLAY|TASK) \[(.*?)\] \**$", line)
            host = re.match(r"(?:ok|changed|skipping): \[([\w.-]+)", line)
            if head and head[1] == "PLAY":
                found.append((head[2], {}))
            elif head:
                task = head[2]
                found[-1][1].setdefault(task, [])
            elif host and found and found[-1][1]:
                found[-1][1][task].append(host[1])
        return found

    @property
    def shown(self):
        """The lines of messages, as they are in the terminal."""
        return [json.loads(line.rstrip(",")) for line in self.output.splitlines() if re.fullmatch(r'\s+"[^"]*(\\"[^"]*)*",?', line)]

    def count(self, host, what):
        """A number of the recap."""
        return int(re.search(rf"^{re.escape(host)} +:.* {what}=(\d+)", self.output, re.MULTILINE)[1])


@pytest.fixture
def play(tmp_path):
    """play(playbook, inventory, *options, **environment): the inventory is a dictionary of hosts and their variables, or a path.

    play.here are the variables of a host that is this machine under another name.
    """

    def run(playbook, inventory, *options, **environment):
        if isinstance(inventory, dict):
            path = tmp_path / "inventory.json"
            path.write_text(json.dumps({"llama_servers": {"hosts": inventory}}))
            inventory = path
        done = subprocess.run(
            ["ansible-playbook", "--inventory", str(inventory), *options, f"prositronic.infra.{playbook}"],
            env={**os.environ, "no_proxy": "*", "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_LOCALHOST_WARNING": "false", **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)

    run.here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A model that is small and whole: a server can run it."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    subprocess.run([sys.executable, ROOT / "examples/demo/tiny_model.py", path], check=True)
    return path
