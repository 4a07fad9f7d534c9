# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ansible-playbook prositronic.infra.plan costs for each host: nodes that are described and not connected to."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import checkout
import models
from nodes import node

MODEL = "GLM-4.5-Air-Q4_K_M"
HOSTS = (10, 100, 1000)
FORKS = 5


@dataclass(frozen=True)
class Run:
    """Of one run of ansible-playbook: its time, that of all processors, and the memory of its largest process."""

    seconds: float
    processor_seconds: float
    peak_mib: float


def main():
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        print(f"Inventory: left out, there is no ansible-playbook beside {sys.executable}")
        return
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    print(f"ansible-playbook prositronic.infra.plan of {MODEL} on nodes with 1, 2, 4 and 8 GPUs; {version}, {FORKS} forks, {os.cpu_count()} processors")
    print(f"{'hosts':>6}{'seconds':>10}{'ms per host':>14}{'ms per further host':>22}{'processor ms per host':>24}{'peak MiB':>10}")
    with tempfile.TemporaryDirectory() as directory:
        before = None
        for hosts in HOSTS:
            run = play(program, pathlib.Path(directory), hosts)
            further = f"{1000 * (run.seconds - before[1].seconds) / (hosts - before[0]):22.1f}" if before else " " * 22
            print(f"{hosts:6}{run.seconds:10.1f}{1000 * run.seconds / hosts:14.1f}{further}{1000 * run.processor_seconds / hosts:24.1f}{run.peak_mib:10.0f}")
            before = hosts, run
    print("aim: the milliseconds per further host stay the same")


def play(program, directory, hosts):
    """The Run of the playbook on this many hosts; fails with Ansible's output where a host has no plan."""
    inventory, output = directory / f"{hosts}.json", directory / f"{hosts}.txt"
    inventory.write_text(json.dumps(inventory_of(hosts)))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(checkout.linked()),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_FORKS": str(FORKS),
        "ANSIBLE_NOCOLOR": "1",
    }
    with output.open("w") as out:
        start = time.perf_counter()
        process = subprocess.Popen([program, "--inventory", inventory, "prositronic.infra.plan"], stdout=out, stderr=out, env=environment, cwd=directory)
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text()
    plans = text.count(f" {MODEL.rpartition('-')[2]} on node")
    if process.returncode or plans != hosts:
        sys.exit(f"{text}\nansible-playbook planned {plans} of {hosts} hosts and ended with {process.returncode}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def inventory_of(hosts):
    nodes = {f"node{number:04d}": {"llama_server_node": node((1, 2, 4, 8)[number % 4], gpu_gib=24 + number % 7)} for number in range(hosts)}
    return {"llama_servers": {"hosts": nodes, "vars": {"llama_server_model": models.truth(MODEL)}}}
