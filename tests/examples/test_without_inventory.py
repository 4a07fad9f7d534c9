# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks as somebody types them first: by name alone, on this machine."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
HEADER = ROOT / "tests" / "truth" / "headers" / "Qwen3-8B-Q4_K_M.gguf"


@pytest.mark.parametrize(
    ("playbook", "options", "said"),
    [
        ("detect", (), "Node "),
        ("plan", ("--extra-vars", f"llama_server_model={HEADER}"), "on localhost: "),
        # What it would do here depends on the machine: nothing, where there is no GPU of NVIDIA's.
        ("nvidia_container_toolkit", ("--check",), "nvidia_container_toolkit : Gather"),
    ],
)
def test_the_node_is_this_machine(tmp_path, playbook, options, said):
    nothing = tmp_path / "hosts"
    nothing.touch()
    environment = {**os.environ, "ANSIBLE_INVENTORY": str(nothing), "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INJECT_FACT_VARS": "false"}
    done = subprocess.run(["ansible-playbook", *options, f"prositronic.infra.{playbook}"], env=environment, capture_output=True, text=True, check=False)
    assert said in done.stdout, done.stdout + done.stderr
    if not pathlib.Path("/dev/nvidia0").exists():
        assert re.search(r"localhost +: ok=\d+ +changed=0 +unreachable=0 +failed=0 ", done.stdout), done.stdout + done.stderr
