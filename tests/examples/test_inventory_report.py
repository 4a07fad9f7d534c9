# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of prositronic.infra.plan for a whole inventory: nodes by models, in the terminal and as files."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

HEADERS = pathlib.Path(__file__).parents[1] / "truth" / "headers"
SMALL, LARGE = (str(HEADERS / name) for name in ("Llama-3.1-8B-Q4_K_M.gguf", "DeepSeek-V3.1-Q4_K_M.gguf"))
GIB = 1024**3
L4 = {"gpus": [{"model": "nvidia-l4"}], "ram": {"bytes": 512 * GIB, "type": "ddr5-4800", "channels": 12}}
CPU = {"ram_bytes": 64 * GIB}
UNKNOWN = {"gpus": [{"model": "nvidia-l5"}], "ram_bytes": GIB}


@pytest.fixture
def hosts(tmp_path):
    """Two nodes that are described, one that is described wrongly, and one that can't be reached."""
    models = {"small": SMALL, "large": LARGE, "<b>none</b>": str(tmp_path / "none.gguf")}
    common = {"llama_server_model": SMALL, "llama_server_models": models}
    nodes = {
        "l4": {"llama_server_node": L4},
        "unknown": {"llama_server_node": UNKNOWN},
        "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o BatchMode=yes"},
        "cpu": {"llama_server_node": CPU},
    }
    return {name: {**common, **node} for name, node in nodes.items()}


def columns(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_every_node_is_in_the_table_and_those_that_fail_come_last(play, hosts):
    run = play("plan", hosts)
    assert run.status == 2
    start = run.shown.index("4 nodes, 3 models: 3 plans fit, 1 does not, 7 were not made.")
    matrix = {columns(line)[0]: columns(line)[2:] for line in run.shown[start + 3 : start + 7]}
    assert list(matrix) == ["l4", "unknown", "gone", "cpu"]
    assert [cell.partition(",")[0] for cell in matrix["l4"]] == ["GPU", "GPU+RAM", "no plan"]
    assert matrix["gone"] == ["no plan"] * 3
    assert matrix["cpu"][1].startswith("no: RAM lacks ") and matrix["cpu"][1].endswith(" GiB (budget 62.0 GiB)")
    below = "\n".join(run.shown[start:])
    assert "  ! unknown: node.gpus[0].model: no such GPU in the table" in below
    assert "  ! gone: " in below and "127.0.0.1 port 1: Connection refused" in below
    assert "  ! l4, <b>none</b>: " in below and "the model file does not exist" in below
    # The others have their own report, and Ansible says who failed.
    assert "Llama-3.1-8B (sparse, no weights) Q4_K_M on cpu: fits" in run.output
    assert [run.count(name, "failed") for name in hosts] == [0, 1, 1, 0]
    names = [name for name, _tasks in run.plays]
    assert names.index("Show what fits where") < names.index("Stop where something failed") < names.index("Report")


def test_what_is_deployed_is_the_one_that_was(play, hosts, tmp_path):
    """More models to look at change nothing of the plan. A relative path is one from where the command was typed."""
    plans = []
    for more in ({}, {"llama_server_models": [SMALL, LARGE]}):
        node = {"llama_server_node": L4, "llama_server_model": SMALL, "llama_server_plan_directory": "plans", **more}
        run = play("plan", {"l4": node})
        assert run.status == 0, run.output
        plans.append((tmp_path / "plans" / "l4.yml").read_text())
    assert plans[0] == plans[1]


def test_models_alone_can_be_asked_for(play, tmp_path):
    run = play("plan", {"l4": {"llama_server_node": L4, "llama_server_models": [SMALL, LARGE], "llama_server_report_files": str(tmp_path / "r.json")}})
    assert run.status == 0, run.output
    (node,) = json.loads((tmp_path / "r.json").read_text())["nodes"]
    assert [(row["name"], row["verdict"], row["deployed"]) for row in node["models"]] == [
        ("Llama-3.1-8B-Q4_K_M", "gpu", False),
        ("DeepSeek-V3.1-Q4_K_M", "gpu+ram", False),
    ]


def test_a_node_without_any_model_says_so(play):
    run = play("plan", {"l4": {"llama_server_node": L4}, "cpu": {"llama_server_node": CPU, "llama_server_model": SMALL}})
    assert run.status == 2
    assert any("! l4: no model is named. Set llama_server_model" in line for line in run.shown)
    assert "on cpu: fits" in run.output


def test_the_files(play, hosts, tmp_path):
    paths = {ending: tmp_path / f"report.{ending}" for ending in ("txt", "md", "json", "html")}
    files = ("--extra-vars", json.dumps({"llama_server_report_files": [str(path) for path in paths.values()]}))
    checked = play("plan", hosts, "--check", *files)
    assert checked.status == 2 and not any(path.exists() for path in paths.values()), checked.output
    run = play("plan", hosts, *files)
    assert run.status == 2, run.output
    kept = {ending: path.read_text() for ending, path in paths.items()}
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in kept.values())
    assert kept["txt"].splitlines()[2:5] == run.shown[run.shown.index(kept["txt"].splitlines()[0]) :][2:5]
    found = json.loads(kept["json"])
    assert [(node["name"], [row["verdict"] for row in node["models"]]) for node in found["nodes"]] == [
        ("l4", ["gpu", "gpu+ram", "error"]),
        ("unknown", ["error"] * 3),
        ("gone", []),
        ("cpu", ["cpu", "no", "error"]),
    ]
    assert kept["json"].startswith('{\n  "schema": 1,')
    assert "| cpu | large | no |" in kept["md"]
    assert "&lt;b&gt;none&lt;/b&gt;" in kept["html"] and "<b>none" not in kept["html"]
    before = {ending: path.stat().st_mtime_ns for ending, path in paths.items()}
    play("plan", hosts, *files)
    assert before == {ending: path.stat().st_mtime_ns for ending, path in paths.items()}


def test_a_limit_leaves_the_others_out(play, hosts, tmp_path):
    run = play("plan", hosts, "--limit", "cpu", "--extra-vars", f"llama_server_report_files={tmp_path / 'report.json'}")
    assert run.status == 0, run.output
    assert [node["name"] for node in json.loads((tmp_path / "report.json").read_text())["nodes"]] == ["cpu"]


def test_an_unknown_ending_is_refused_before_anything_is_planned(play, hosts, tmp_path):
    run = play("plan", hosts, "--extra-vars", f"llama_server_report_files={tmp_path / 'report.pdf'}")
    assert run.status == 2
    assert "expected names that end in .txt, .md, .html or .json" in run.output
    assert not any("Plan the server" in task for _name, tasks in run.plays for task in tasks)


def test_the_password_of_an_address_is_nowhere(play, tmp_path):
    with serving() as web:
        web.files["/model.gguf"] = pathlib.Path(SMALL).read_bytes()
        address = web.url.replace("//", "//somebody:secret@")
        node = {"llama_server_node": CPU, "llama_server_model": f"{address}/gone.gguf", "llama_server_models": [f"{address}/model.gguf", f"{address}/no.gguf"]}
        files = [str(tmp_path / f"report.{ending}") for ending in ("json", "html", "md")]
        run = play("plan", {"cpu": {**node, "llama_server_report_files": files}}, "-vv")
    assert run.status == 2
    assert "404" in run.output
    assert "secret" not in run.output
    assert not any("secret" in pathlib.Path(path).read_text() for path in files)
