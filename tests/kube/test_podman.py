# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The chart's pod, run for real by 'podman kube play': the init container downloads a tiny model, llama-server serves it, a question is answered."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import time
import uuid

import pytest
import yaml
from objects import rendered

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

KEY = "only-for-this-test"
START_SECONDS = 120
BUILD = re.compile(r"\(build (\d+),")


def podman(*arguments, stdin=None, check=True):
    answer = subprocess.run(
        ("podman", *arguments), input=stdin, stdin=None if stdin else subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    assert not check or answer.returncode == 0, f"podman {' '.join(arguments)}: {answer.stderr}"
    return answer if not check else answer.stdout


@pytest.fixture(scope="module")
def image():
    """A llama-server as llama.cpp's images have it, as their entrypoint: (name, build)."""
    machine = os.environ["INFRA_IMAGE"]
    build = int(BUILD.search(podman("run", "--rm", "--network=none", machine, "sh", "-c", "llama-server --version 2>&1"))[1])
    name = f"localhost/llama.cpp:server-b{build}"
    podman("build", "--quiet", "--tag", name, "-", stdin=f'FROM {machine}\nENTRYPOINT ["/usr/bin/llama-server"]\n')
    return name, build


@pytest.fixture(scope="module")
def network(image):
    """A network of its own, in which a web server has the model: (name of the network, address of the model)."""
    name = f"prositronic-infra-{uuid.uuid4().hex[:8]}"
    models = pathlib.Path(os.environ["INFRA_MODELS"])
    podman("network", "create", name)
    try:
        serve = ("python3", "-m", "http.server", "8000", "--bind", "0.0.0.0", "--directory", "/models")
        podman("run", "--detach", f"--network={name}", f"--name={name}-web", f"--volume={models}:/models:ro", os.environ["INFRA_IMAGE"], *serve)
        yield name, f"http://{name}-web:8000/tiny.gguf"
    finally:
        podman("rm", "--force", "--time=1", f"{name}-web", check=False)
        podman("network", "rm", "--force", name, check=False)


class Pod:
    """What podman made of the chart's objects."""

    def __init__(self, network, directory, objects):
        self.release = network
        self.network = network
        self.play_file = directory / "play.yaml"
        self.config_maps = []
        played = [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"{network}-keys"},
                "data": {"api-keys": base64.b64encode(f"{KEY}\n".encode()).decode()},
            }
        ]
        for number, each in enumerate(objects):
            if each["kind"] == "ConfigMap":
                path = directory / f"config-map-{number}.yaml"
                path.write_text(yaml.safe_dump(each))
                self.config_maps.append(f"--configmap={path}")
        (template,) = (each["spec"]["template"] for each in objects if each["kind"] == "Deployment")
        # Podman 4.3 restarts init containers too, those of a Deployment for ever, takes no annotation as long as a digest, and knows no fsGroup.
        metadata = {"name": network, "labels": template["metadata"]["labels"]}
        spec = {**template["spec"], "restartPolicy": "Never"}
        for volume in spec["volumes"]:
            if "secret" in volume:
                volume["secret"]["defaultMode"] = 0o444
        played.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        self.claims = [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
        self.first = [*self.claims, *played]
        self.again = played

    def play(self, objects):
        self.play_file.write_text(yaml.safe_dump_all(objects))
        podman("kube", "play", f"--network={self.network}", *self.config_maps, str(self.play_file))

    def down(self):
        podman("kube", "down", str(self.play_file), check=False)
        podman("secret", "rm", f"{self.release}-keys", check=False)
        # Podman makes them of Secrets and ConfigMaps, and takes an old one for a new.
        podman("volume", "rm", f"{self.release}-keys", f"{self.release}-download", check=False)

    def container(self, name):
        found = json.loads(podman("ps", "--all", "--format=json"))
        (container,) = (each for each in found if each["Names"][0].startswith(self.release) and each["Names"][0].endswith(f"-{name}"))
        return container["Id"]

    def ask(self, path, *options, check=True):
        return podman("exec", self.container("server"), "curl", "--silent", "--max-time", "60", *options, f"http://127.0.0.1:8080{path}", check=check)

    @property
    def key(self):
        """As the server has it: Podman 4.3 leaves it in Base64."""
        return podman("exec", self.container("server"), "cat", "/run/secrets/llama-server/api-keys").strip()

    def wait(self):
        until = time.monotonic() + START_SECONDS
        while self.ask("/health", "--fail", check=False).returncode:
            assert time.monotonic() < until, podman("logs", self.container("server"), check=False)
            time.sleep(0.3)


@pytest.fixture(scope="module")
def pod(programs, image, network, tmp_path_factory):
    name, build = image
    release, address = network
    model = pathlib.Path(os.environ["INFRA_MODELS"]) / "tiny.gguf"
    made = plan(read_model(str(model)), {"gpus": [], "ram_bytes": 8 * 2**30}, {"ctx_size": 4096})
    files = [{"url": address, "sha256": hashlib.sha256(model.read_bytes()).hexdigest(), "size_bytes": model.stat().st_size}]
    options = {"image": name, "build": build, "api_key_secret": f"{release}-keys", "alias": "tiny", "model": {"files": files}}
    directory = tmp_path_factory.mktemp("pod")
    path = directory / "values.yaml"
    path.write_text(yaml.safe_dump(helm_values(made, {**options, "values": {"image": {"pullPolicy": "Never"}, "fullnameOverride": release}})))
    running = Pod(release, directory, rendered(programs, path, release=release))
    try:
        running.play(running.first)
        running.wait()
        yield running
    finally:
        running.down()
        for claim in running.claims:
            podman("volume", "rm", "--force", claim["metadata"]["name"], check=False)


def test_a_question_is_answered_to_those_who_have_a_key(pod):
    question = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "Which city?"}], "max_tokens": 8})
    call = ("--header", "Content-Type: application/json", "--data", question)
    answer = json.loads(pod.ask("/v1/chat/completions", "--header", f"Authorization: Bearer {pod.key}", *call))
    assert answer.get("usage", {}).get("completion_tokens") == 8, answer
    refused = json.loads(pod.ask("/v1/chat/completions", *call))
    assert refused["error"]["code"] == 401


def test_the_server_is_what_the_plan_says(pod):
    props = json.loads(pod.ask("/props", "--header", f"Authorization: Bearer {pod.key}"))
    assert props["default_generation_settings"]["n_ctx"] == 4096
    told = podman("logs", pod.container("server"), check=False)
    log = told.stdout + told.stderr
    assert "/models/tiny.gguf" in log and KEY not in log and pod.key not in log


def test_neither_container_is_root_or_writes_where_it_should_not(pod):
    server = pod.container("server")
    assert podman("exec", server, "id", "-u").strip() == "65534"
    for path in ("/written", "/models/written"):
        assert podman("exec", server, "touch", path, check=False).returncode != 0
    podman("exec", server, "touch", "/tmp/written")
    assert pod.key not in podman("inspect", server)


def test_a_second_start_downloads_nothing(pod, network):
    """The claim stays when the pod goes."""

    def asked():
        told = podman("logs", f"{network[0]}-web", check=False)
        return (told.stdout + told.stderr).count("GET /tiny.gguf")

    assert asked() == 1
    pod.down()
    pod.play(pod.again)
    pod.wait()
    assert asked() == 1
