# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook prositronic.infra.site: the order of its parts, tags, limits, batches, throttled downloads, and nodes that fail."""

from __future__ import annotations

import json
import pathlib
import sys
import threading
import time

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

GPU = pathlib.Path(__file__).parents[1] / "unit" / "plugins" / "module_utils" / "_gpu"
GIB = 1024**3
DESCRIBED = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 64 * GIB}
PARTS = {
    "detect": "Show what the nodes have",
    "toolkit": "Install the NVIDIA Container Toolkit where it is wanted",
    "plan": "Show what fits where",
    "download": "Download",
    "deploy": "Deploy",
    "verify": "Verify",
    "report": "Report",
}
"""The play of each part."""


@pytest.fixture
def hosts(play, tmp_path, tiny_model):
    """Three hosts that are this machine, and one that is described."""
    here = {
        name: {
            **play.here,
            "llama_server_name": name,
            "llama_server_directory": str(tmp_path / name),
            "llama_model_directory": str(tmp_path / name / "models"),
        }
        for name in ("one", "two", "three")
    }
    common = {"llama_server_model": str(tiny_model), "llama_server_wishes": {"backend": "cpu", "ctx_size": 512}, "llama_server_target": "embedded"}
    return {name: {**common, **host} for name, host in {**here, "described": {"llama_server_node": DESCRIBED}}.items()}


def done(run):
    """The parts that did something, in their order."""
    names = {title: part for part, title in PARTS.items()}
    return [names[name] for name, tasks in run.plays if name in names and any(tasks.values())]


def batches(run, part):
    """The hosts of each batch of a part."""
    found = [sorted({host for hosts in tasks.values() for host in hosts}) for name, tasks in run.plays if name == PARTS[part]]
    return [hosts for hosts in found if hosts]


def test_a_fresh_host_in_check_mode(play, hosts, tmp_path):
    kept = {"llama_server_plan_directory": str(tmp_path / "plans"), "llama_server_report_files": [str(tmp_path / "report.md")]}
    run = play("site", hosts, "--check", "--diff", "--extra-vars", json.dumps(kept))
    assert run.status == 0, run.output
    assert done(run) == ["detect", "toolkit", "plan", "download", "deploy", "report"]
    assert [run.count(name, "failed") for name in hosts] == [0, 0, 0, 0]
    assert run.count("one", "changed") > 0
    # What would be done to nodes is done to those that are there alone; the plans are for all.
    assert batches(run, "deploy") == [["one", "three", "two"]] and batches(run, "report") == [["described", "one", "three", "two"]]
    assert not any((tmp_path / name).exists() for name in (*hosts, "plans", "report.md"))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("detect", ["detect"]),
        ("toolkit", ["toolkit"]),
        ("plan", ["plan", "report"]),
        ("download", ["download"]),
        ("deploy", ["download", "deploy"]),
    ],
)
def test_each_part_alone(play, hosts, tags, expected):
    """A part has what it needs of those before, and does not take the roles' tasks for somebody else's."""
    some = {name: hosts[name] for name in ("one", "described")}
    run = play("site", some, "--check", "--tags", tags)
    assert run.status == 0, run.output
    assert done(run) == expected
    tasks = {task for _name, tasks in run.plays for task, hosts in tasks.items() if hosts}
    planned = tags in ("plan", "download", "deploy")
    assert ("prositronic.infra.llama_server : Look for the record of a server" in tasks) is planned
    assert ("prositronic.infra.llama_model : Bring the files to the node" in tasks) is ("download" in expected)


def test_a_part_that_is_left_out(play, hosts):
    run = play("site", {"one": hosts["one"]}, "--check", "--skip-tags", "detect,toolkit,report")
    assert run.status == 0, run.output
    assert done(run) == ["download", "deploy"]


@pytest.mark.parametrize(("serial", "sizes"), [(2, [2, 1]), ([1, "100%"], [1, 2])])
def test_batches(play, hosts, serial, sizes):
    run = play("site", hosts, "--check", "--tags", "deploy", "--extra-vars", json.dumps({"llama_server_serial": serial}))
    assert run.status == 0, run.output
    assert [len(batch) for batch in batches(run, "deploy")] == sizes
    assert sorted(host for batch in batches(run, "deploy") for host in batch) == ["one", "three", "two"]
    # All of them are planned, and have their model, before the first is deployed.
    assert batches(run, "download") == [["one", "three", "two"]]


@pytest.mark.parametrize("limit", ["two", "described"])
def test_a_limit(play, hosts, tmp_path, limit):
    run = play("site", hosts, "--check", "--limit", limit, "--extra-vars", f"llama_server_facts_file={tmp_path / 'facts.json'}")
    assert run.status == 0, run.output
    assert {host for _name, tasks in run.plays for hosts in tasks.values() for host in hosts} == {limit}
    assert batches(run, "deploy") == ([["two"]] if limit == "two" else [])


@pytest.mark.parametrize("order", [("bad", "one"), ("one", "bad")])
def test_a_node_that_fails_goes_no_further(play, hosts, tmp_path, order):
    nodes = {"one": hosts["one"], "bad": {**hosts["two"], "llama_server_model": str(tmp_path / "none.gguf")}}
    run = play("site", {name: nodes[name] for name in order}, "--check", "--forks", "1")
    assert run.status == 2
    assert batches(run, "deploy") == [["one"]] and batches(run, "report") == [["one"]]
    assert (run.count("bad", "failed"), run.count("one", "failed")) == (1, 0)
    assert "! bad: " in run.output


def test_the_toolkit_is_for_containers_where_it_is_wanted(play, hosts, tmp_path):
    """Three nodes with a recorded nvidia-smi. How far the role gets on this machine is its own affair."""
    (tmp_path / "bin").mkdir()
    programs = {
        tmp_path / "bin" / "nvidia-smi": f'exec {sys.executable} {GPU / "recorded.py"} nvidia-smi "$@"',
        tmp_path / "python": f'FIXTURE={GPU / "fixtures" / "l4"} PATH={tmp_path / "bin"}:$PATH exec {sys.executable} "$@"',
    }
    for path, line in programs.items():
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
    nowhere = {f"nvidia_container_toolkit_{name}_url": "http://127.0.0.1:1" for name in ("key", "repository")}
    common = {**hosts["one"], **nowhere, "ansible_python_interpreter": str(tmp_path / "python")}
    nodes = {
        "wanted": {**common, "llama_server_target": "quadlet", "llama_server_nvidia_container_toolkit": True},
        "embedded": {**common, "llama_server_nvidia_container_toolkit": True},
        "unasked": {**common, "llama_server_target": "compose"},
    }
    run = play("site", nodes, "--check", "--tags", "detect,toolkit")
    tasks = dict(run.plays)[PARTS["toolkit"]]
    assert "570.86.15" in run.output
    assert tasks["prositronic.infra.nvidia_container_toolkit : Decide what to do"] == ["wanted"], run.output
    assert sorted(tasks["Install it and set the engines up"]) == ["embedded", "unasked"]  # left out


def test_one_that_only_asks_is_not_deployed(play, hosts, tiny_model):
    asks = {name: value for name, value in hosts["two"].items() if name != "llama_server_model"}
    run = play("site", {"one": hosts["one"], "two": {**asks, "llama_server_models": [str(tiny_model)]}}, "--check", "--tags", "deploy")
    assert run.status == 2
    assert batches(run, "deploy") == [["one"]]
    assert "no model is named. Set llama_server_model" in run.output


@pytest.mark.parametrize(("throttle", "most"), [(0, 3), (1, 1)])
def test_downloads_beside_one_another(play, hosts, tiny_model, throttle, most):
    now, seen, lock = [0], [0], threading.Lock()
    data = tiny_model.read_bytes()

    def answer(handler):
        """The file, and a second for whoever wants all of it."""
        start, end = range_of(handler, len(data))
        whole = end - start > len(data) // 2
        with lock:
            now[0] += whole
            seen[0] = max(seen[0], now[0])
        handler.send_response(206 if "Range" in handler.headers else 200)
        handler.send_header("Content-Length", str(end - start))
        handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        handler.end_headers()
        if whole:
            time.sleep(3)
        with lock:
            now[0] -= whole
        handler.wfile.write(data[start:end])

    with serving() as web:
        web.answers["/tiny.gguf"] = answer
        more = {"llama_server_model": f"{web.url}/tiny.gguf", "llama_model_poll": 1, "llama_server_download_throttle": throttle}
        some = {name: {**host, **more} for name, host in hosts.items()}
        run = play("site", some, "--tags", "download", "--forks", "5")
    assert run.status == 0, run.output
    assert all(run.count(name, "changed") == 1 for name in ("one", "two", "three"))
    assert seen[0] <= most and (seen[0] > 1) is (most > 1)


def range_of(handler, size):
    """(start, end) of what a request asks for."""
    wanted = handler.headers.get("Range", f"bytes=0-{size - 1}").removeprefix("bytes=")
    start, _dash, last = wanted.partition("-")
    return int(start), min(int(last or size - 1) + 1, size)
