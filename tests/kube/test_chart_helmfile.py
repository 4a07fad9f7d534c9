# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The helmfile of a checkout with the real helmfile and helm: what it hands on, and what it refuses before a cluster is asked."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from chart_render import BASE, ROOT, parse

VALUES = yaml.safe_load(BASE.read_text(encoding="utf-8"))


@pytest.fixture
def helmfile(programs, tmp_path):
    """helmfile(command, text): with the values as bash hands them on, and a helm that keeps what it was asked."""
    asked = tmp_path / "asked"
    helm = tmp_path / "helm"
    found = shutil.which("helm", path=programs.environment["PATH"])
    helm.write_text(f'#!/bin/sh\necho "$*" >>{asked}\nexec {found} "$@"\n')
    helm.chmod(0o755)

    def run(command, text, *options):
        given = tmp_path / "given"
        given.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
        line = f"helmfile --helm-binary {helm} --state-values-file <(cat {given}) {command} {' '.join(options)}"
        done = programs.run("bash", "-c", line, cwd=ROOT)
        done.asked = asked.read_text().splitlines() if asked.exists() else []
        return done

    return run


def release(done):
    assert done.returncode == 0, done.stderr
    (found,) = next(each for each in yaml.safe_load_all(done.stdout) if each)["releases"]
    return found


def changed(**sections):
    """The values with some keys of sections put over them, None for without."""
    made = {**VALUES}
    for name, keys in sections.items():
        made[name] = {key: value for key, value in {**VALUES.get(name, {}), **keys}.items() if value is not None}
    return made


def test_hands_the_values_on_as_they_are(helmfile):
    done = helmfile("template", {**VALUES, "server": {**VALUES["server"], "apiKey": {"secretName": "keys"}}})
    assert done.returncode == 0, done.stderr
    found = parse(done.stdout)
    plan = found.one("ConfigMap", "llama-3-1-8b-q4-k-m-llama-server-plan")["data"]["plan.json"]
    assert plan == VALUES["plan"]["document"]
    assert json.loads(plan)["model"]["size_bytes"] == 376000000000
    listed = found.one("ConfigMap", "llama-3-1-8b-q4-k-m-llama-server-download")["data"]["files"]
    assert listed.split("\t")[2] == "376000000000"
    assert found.server["resources"]["limits"]["memory"] == "8589934592"
    assert ("Service", "llama-3-1-8b-q4-k-m-llama-server") in found.objects


def test_release_of_a_plan(helmfile):
    found = release(helmfile("build", VALUES))
    assert (found["name"], found["chart"], found["wait"]) == ("llama-3-1-8b-q4-k-m", "./charts/llama-server", True)
    assert "namespace" not in found
    # 15 minutes, 10 s times 43, and 376 GB at 20 MB/s.
    assert found["timeout"] == 900 + 430 + 18800
    assert found["values"] == [VALUES]


@pytest.mark.parametrize(
    ("model", "quantization", "name"),
    [("70B. Très grand!", None, "b-tr-s-grand"), (None, None, "llama-server"), ("x" * 60, "Q8_0", "x" * 40), ("日本", "Q8_0", "q8-0")],
)
def test_names_of_releases(helmfile, model, quantization, name):
    values = {**VALUES, "plan": {**VALUES["plan"], "model": model, "quantization": quantization}}
    assert release(helmfile("build", values))["name"] == name


def test_short_plans_have_an_hour(helmfile):
    values = {**VALUES, "model": {"file": "m.gguf", "source": "claim", "claim": {"existing": "models"}}}
    assert release(helmfile("build", values))["timeout"] == 3600


def test_release_as_asked(helmfile):
    found = release(helmfile("build", {**VALUES, "release": {"name": "chat", "namespace": "models", "createNamespace": False, "timeout": 60}}))
    assert [found[key] for key in ("name", "namespace", "createNamespace", "timeout")] == ["chat", "models", False, 60]
    assert found["values"] == [VALUES]
    assert release(helmfile("build", {**VALUES, "release": {"namespace": "models"}}))["createNamespace"] is True


REFUSED = [
    ("", "There are no values: the file is empty, or none was given."),
    ("# a comment\n", "There are no values: the file is empty, or none was given."),
    ("{}", "There are no values: the file is empty, or none was given."),
    ("<!DOCTYPE html><html><body>404 Not Found</body></html>", "<!DOCTYPE html><html><body>404 Not Found</body></html>"),
    ("<html>\n<head><title>404 Not Found</title></head>\n<body>\n<center>nginx</center>\n</body>\n</html>\n", "failed to load environment values file"),
    ("Not Found", "cannot unmarshal !!str `Not Found`"),
    ("404: Not Found", "These values have no plan, so they aren't those of a llama-server. Got the keys: 404."),
    ('{"error": "no such plan"}', "These values have no plan, so they aren't those of a llama-server. Got the keys: error."),
    ("plan: Q4_K_M", "These values have no plan"),
    ("plan: {}", "These values have no plan"),
    ("[1, 2]", "cannot unmarshal !!seq"),
    (changed(plan={"schemaVersion": 2}), "plan.schemaVersion: got 2, and this checkout knows 1. This checkout is older than the values: take a newer one."),
    (changed(plan={"schemaVersion": 0}), "plan.schemaVersion: got 0, and this checkout knows 1. These values are older than this checkout: make them again."),
    (changed(plan={"schemaVersion": None}), "plan.schemaVersion: got 0, and this checkout knows 1."),
    (changed(plan={"digest": None}), "plan.digest is missing in these values."),
    (changed(plan={"document": None}), "plan.document is missing in these values."),
    (changed(image={"repository": None}), "image.repository is missing in these values."),
    (changed(image={"tag": None}), "image.tag or image.digest is missing in these values."),
    (changed(model={"file": None}), "model.file is missing in these values."),
    (changed(model={"source": None}), "model.source is missing in these values."),
    (changed(resources={"limits": None}), "resources.limits.memory is missing in these values."),
    (changed(release={"Name": "a"}), "release.Name: there is no such key."),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
@pytest.mark.parametrize("command", ["apply", "template"])
def test_refuses_what_are_no_values(helmfile, command, text, message):
    done = helmfile(command, text)
    assert done.returncode != 0
    assert message in done.stderr
    assert [line for line in done.asked if not line.startswith("version")] == []


def test_refuses_nothing(programs):
    done = programs.run("helmfile", "template", cwd=ROOT)
    assert done.returncode != 0
    assert "There are no values: the file is empty, or none was given." in done.stderr


def test_what_the_chart_refuses_is_refused(helmfile):
    """A key that nobody knows, as of a mistyped section."""
    done = helmfile("template", {**VALUES, "sever": {}})
    assert done.returncode != 0
    assert "additional properties 'sever' not allowed" in done.stderr
