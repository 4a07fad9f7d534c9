# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting and ending a control plane: nothing stays behind, however its user ends."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

import cluster

SCRIPT = pathlib.Path(cluster.__file__)
HOLD = """
import pathlib, sys, time
import cluster
with cluster.Cluster(pathlib.Path(sys.argv[1])) as running:
    print(running.running(), flush=True)
    time.sleep(600)
"""


def alive(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


def test_it_ends_with_the_process_that_started_it(tmp_path, eventually):
    place = tmp_path / "plane"
    with subprocess.Popen([sys.executable, "-c", HOLD, place], cwd=SCRIPT.parent, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "True\n"
        pids = list(json.loads((place / "pids.json").read_text()).values())
        assert len(alive(pids)) == 5
        holder.send_signal(signal.SIGKILL)
    eventually(lambda: not alive(pids), seconds=20)
    # What its user could no longer remove goes when there is a next one.
    cluster.Cluster(place).stop()
    assert not place.exists()


def test_up_twice_is_one_and_down_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "PLACE", tmp_path)
    assert cluster.main(["up"]) == 0
    pids = json.loads((tmp_path / "up" / "pids.json").read_text())
    assert f"export KUBECONFIG={tmp_path}/up/kubeconfig" in capsys.readouterr().out
    try:
        assert cluster.main(["up"]) == 0
        assert json.loads((tmp_path / "up" / "pids.json").read_text()) == pids
        assert (tmp_path / "up" / "kubeconfig").stat().st_mode & 0o077 == 0
    finally:
        assert cluster.main(["down"]) == 0
    # They are children of this process here, and each is waited for by nobody else.
    for pid in alive(pids.values()):
        os.waitpid(pid, 0)
    assert not alive(pids.values())
    assert not (tmp_path / "up").exists()
    assert cluster.main(["down"]) == 0


def test_a_program_that_does_not_start_says_why(tmp_path, monkeypatch):
    place = tmp_path / "plane"
    monkeypatch.setattr(cluster, "free_ports", lambda count: [1, 2, 99999][:count])
    try:
        cluster.Cluster(place).start(bound=True)
    except cluster.Failed as failed:
        assert "99999" in str(failed) or "etcd ended" in str(failed)
    else:
        raise AssertionError("a port that there is not was taken")
    assert not place.exists()
