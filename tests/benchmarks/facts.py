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
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gpu.recorded import made_to_run, unpacked

FIXTURES = checkout.ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_gpu" / "fixtures"
CASES = ("no_gpu", "l4", "eight_h100", "mig", "cdi", "gpu_operator", "rx_7900_xtx", "amd_smi")
RUNS = 10


def main():
    heading("Facts of a node; aim: < 1000 ms", RUNS)
    print(measured(lambda: gather(Programs(shutil.which, 10)), RUNS).row("this machine, in one process"))
    print(measured(module, RUNS).row("this machine, the module as Ansible runs it"))
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            work = node(case, pathlib.Path(directory, case))
            print(measured(work, RUNS).row(case))
        work = node("hung", pathlib.Path(directory, "hung"), 1)
        print(f"hung, with a time limit of 1 s: {1000 * seconds_of(work):.0f} ms")


def module():
    """One process, with the start of Python and of AnsibleModule."""
    name = "ansible_collections.prositronic.infra.plugins.modules.gpu_facts"
    environment = {**os.environ, "PYTHONPATH": str(checkout.linked())}
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {}})
    subprocess.run([sys.executable, "-m", name], input=arguments, env=environment, capture_output=True, text=True, check=True)


def node(case, directory, seconds=10):
    """A function that gathers the facts of a fixture, whose files and programs are made in C(directory)."""
    fixture = FIXTURES / case
    for name in ("tree", "bin"):
        (directory / name).mkdir(parents=True)
    root = unpacked(fixture, directory / "tree")
    made_to_run(fixture, directory / "bin")

    def work():
        os.environ["FIXTURE"] = str(fixture)
        gather(Programs(lambda name: shutil.which(name, path=directory / "bin"), seconds), root=root)

    return work
