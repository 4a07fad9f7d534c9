# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a module as Ansible does on a node: its own process, arguments on standard input."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import ansible


def run_module(module, arguments, **environment):
    """What the C(module) prints, given a dictionary of arguments and further environment variables."""
    imports = [str(pathlib.Path(module.__file__).parents[5]), str(pathlib.Path(ansible.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-m", module.__name__],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(imports)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout)
