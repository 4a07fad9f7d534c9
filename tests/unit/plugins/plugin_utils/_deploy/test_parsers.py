# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is rendered, read by the programs that read it on a node: Podman's generator, systemd-analyze, Docker Compose.

Where one isn't installed, its tests are skipped and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache

import pytest
import yaml

from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases, unit_reader

WHERE = os.pathsep.join((os.environ["PATH"], "/usr/libexec/podman", "/usr/lib/podman", "/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins"))
planned = cache(cases.planned)


def program(name):
    path = shutil.which(name, path=WHERE)
    if path is None:
        pytest.skip(f"{name} is not installed on this machine")
    return path


def answer(name, target):
    return cases.rendered(name, target, planned(name))


def written(made, directory):
    for file in made["files"]:
        path = directory / file["path"].rpartition("/")[2]
        path.write_text(file["content"], encoding="utf-8")
    return directory / made["files"][0]["path"].rpartition("/")[2]


def expected(made, name):
    """llama-server's arguments, with the model as the case gives it."""
    options = {**cases.CASES[name][3], **cases.CASES[name][4].get(made["target"], {})}
    return options.get("model", "/srv/models/model.gguf"), options


def check_arguments(args, name, made):
    model, options = expected(made, name)
    inside = model if made["target"] == "systemd" else "/models/" + model.rpartition("/")[2]
    assert args[:4] == ["--log-verbosity", "4", "--model", inside]
    if "alias" in options:
        assert args[4:6] == ["--alias", options["alias"]]
    for part in planned(name)["server"]["args"]:
        assert part in args
    assert args[len(args) - len(options.get("extra_args", [])) :] == options.get("extra_args", [])


@pytest.mark.parametrize("name", cases.CASES)
def test_podmans_generator_makes_the_command_that_is_meant(name, tmp_path):
    quadlet = program("quadlet")
    made = answer(name, "quadlet")
    written(made, tmp_path)
    assert made["check"]["argv"][0].endswith("/quadlet")
    done = subprocess.run(
        [quadlet, *made["check"]["argv"][1:]], env={**os.environ, "QUADLET_UNIT_DIRS": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    service = done.stdout.partition(f"---{made['unit']}.service---")[2]
    command = unit_reader.command(unit_reader.settings(service, "ExecStart")[-1])
    image = command.index(made["image"])
    check_arguments(command[image + 1 :], name, made)
    podman, model = command[:image], expected(made, name)[0].rpartition("/")[0]
    assert any(part.startswith(f"{model}:/models:ro") for part in podman)
    for part in ("--read-only", "--rm"):
        assert part in podman
    assert "no-new-privileges" in " ".join(podman) and podman[podman.index("--cap-drop") + 1].lower() == "all"
    for gpu in planned(name)["node"]["gpus"]:
        if gpu["vendor"] == "nvidia":
            assert podman[podman.index(f"nvidia.com/gpu={gpu['uuid']}") - 1] == "--device"


@pytest.mark.parametrize("name", cases.CASES)
def test_systemd_takes_the_unit(name, tmp_path):
    analyze = program("systemd-analyze")
    made = answer(name, "systemd")
    path = written(made, tmp_path)
    args = unit_reader.command(unit_reader.settings(path.read_text(), "ExecStart")[0], {"CREDENTIALS_DIRECTORY": "/run/credentials"})
    assert args[0] == made["binary"]["path"]
    check_arguments(args[1:], name, made)
    # verify looks for the programs, which this machine has not.
    here = path.read_text().replace(f"ExecStart={made['binary']['path']} ", "ExecStart=/bin/true ").replace("/usr/bin/nvidia-modprobe", "/bin/true")
    path.write_text(here)
    done = subprocess.run([analyze, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if made["unit"] in line]
    assert (done.returncode, said) == (0, []), done.stderr


@pytest.mark.parametrize("name", cases.CASES)
def test_compose_reads_what_is_meant(name, tmp_path):
    compose = program("docker-compose")
    made = answer(name, "compose")
    path = written(made, tmp_path)
    environment = {key: value for key, value in os.environ.items() if key != "USER"}
    done = subprocess.run([compose, "--file", str(path), "config", "--format", "json"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    service = json.loads(done.stdout)["services"]["llama-server"]
    check_arguments([part.replace("$$", "$") for part in service["command"]], name, made)
    assert service["volumes"][0]["source"].replace("$$", "$") == expected(made, name)[0].rpartition("/")[0]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"][0] == "no-new-privileges:true"
    assert int(service["mem_limit"]) == made["memory_limit_bytes"]


@pytest.mark.parametrize("name", cases.CASES)
def test_examples_for_prometheus_are_yaml(name):
    made = answer(name, "systemd")
    if made["examples"]["prometheus"] is None:
        assert "--metrics" not in made["files"][0]["content"]
        return
    job = yaml.safe_load(made["examples"]["prometheus"])["scrape_configs"][0]
    assert job["static_configs"][0]["targets"] == [made["url"].partition("://")[2]]
    assert ("authorization" in job) == bool(made["secrets"])
