# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role and the playbooks, run as somebody types them."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import checkout

HEADER = ROOT / "tests" / "truth" / "headers" / "Llama-3.1-8B-Q4_K_M.gguf"
ROLE = "llama_server_kubernetes"


@dataclass(frozen=True)
class Run:
    """What a playbook did: its exit status, and all that it wrote."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        return sum(int(found) for found in re.findall(r"changed=(\d+)", self.output))


def ansible(cluster, helm, folder, *words, **environment):
    """ansible-playbook with these words, on the cluster."""
    own = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "PATH": os.pathsep.join((str(helm.parent), os.environ["PATH"])),
        "ANSIBLE_COLLECTIONS_PATH": checkout.collections_path(),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    done = subprocess.run(
        [pathlib.Path(sys.executable).with_name("ansible-playbook"), *words], env={**os.environ, **own, **environment}, cwd=folder,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Run(done.returncode, done.stdout + done.stderr)


def playbook_of_role(entry, variables):
    """The role for a model of 8 billion parameters, called chat, on nodes with an L4 unless it is told others."""
    given = {"name": "chat", "only": ["nvidia-l4"], "verify": False, "ready_timeout": 60, **variables}
    if entry in ("main", "render", "plan"):
        given["model"] = f"{{{{ lookup('prositronic.infra.gguf', '{HEADER}') }}}}"
    role = {"name": f"prositronic.infra.{ROLE}", "tasks_from": entry}
    task = {"ansible.builtin.include_role": role, "vars": {f"{ROLE}_{name}": value for name, value in given.items()}}
    python = {"ansible_python_interpreter": sys.executable}
    return json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": python, "tasks": [task]}])
