# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long gathering the facts of a node takes: of this one, and of the tests' with programs that tell again what theirs printed."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import checkout
from timing import heading, measured, seconds_of

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import Programs

GPU = checkout.ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_gpu"
CASES = ("no_gpu", "l4", "eight_h100", "mig", "cdi", "gpu_operator", "rx_7900_xtx", "amd_smi")
RUNS = 10


def main():
    heading("Facts of a node; aim: < 1000 ms", RUNS)
    print(measured(lambda: gather(Programs(shutil.which, 10)), RUNS).row("this machine, in one process"))
    print(measured(module, RUNS).row("this machine, the module as Ansible runs it"))
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            find = programs(case, pathlib.Path(directory, case))
            print(measured(lambda case=case, find=find: node(case, find), RUNS).row(case))
        find = programs("hung", pathlib.Path(directory, "hung"))
        print(f"hung, with a time limit of 1 s: {1000 * seconds_of(lambda: node('hung', find, 1)):.0f} ms")


def module():
    """One process, with the start of Python and of AnsibleModule."""
    name = "ansible_collections.prositronic.infra.plugins.modules.gpu_facts"
    environment = {**os.environ, "PYTHONPATH": str(checkout.linked())}
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {}})
    subprocess.run([sys.executable, "-m", name], input=arguments, env=environment, capture_output=True, text=True, check=True)


def node(case, find, seconds=10):
    os.environ["FIXTURE"] = str(GPU / "fixtures" / case)
    gather(Programs(find, seconds), root=str(GPU / "fixtures" / case / "tree"))


def programs(case, directory):
    """A function that finds the programs of the fixture, each of them made to run."""
    directory.mkdir()
    text = (GPU / "recorded.py").read_text().replace("#!/usr/bin/python3", f"#!{sys.executable}")
    for file in (GPU / "fixtures" / case / "commands").glob("*.txt"):
        (directory / file.stem).write_text(text)
        (directory / file.stem).chmod(0o755)
    return lambda name: shutil.which(name, path=directory)
