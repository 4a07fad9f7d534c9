# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One control plane with a thousand simulated GPU nodes for all tests, and a namespace for each."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
from kubernetes import client, config

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import cluster as control_plane
import gpu_nodes
import role_run
import tools

NODES = 1000
READY_SECONDS = 180
NOTES = pytest.StashKey[list]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOTES] = []


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    for line in config.stash[NOTES]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def note(request):
    """Says a line at the end of the run."""
    return request.config.stash[NOTES].append


class Kube:
    """The control plane as its tests use it."""

    def __init__(self, running, node_names):
        self.control_plane, self.node_names = running, node_names
        self.ask = running.client().answer
        self.api = config.new_client_from_config(str(running.kubeconfig))
        self.core = client.CoreV1Api(self.api)


@pytest.fixture(scope="session")
def kube(note):
    """The control plane with its nodes ready."""
    start = time.monotonic()
    with control_plane.Cluster(control_plane.PLACE / "test") as running:
        up = time.monotonic() - start
        names = gpu_nodes.register(running, NODES)
        registered = time.monotonic() - start - up
        gpu_nodes.wait(running.client(), names, READY_SECONDS)
        ready = time.monotonic() - start - up
        version = tools.TOOLS["kube-apiserver"].version
        note(f"Kubernetes {version}: up in {up:.1f} s, {NODES} nodes registered in {registered:.1f} s, ready {ready:.1f} s after it was up")
        yield Kube(running, names)


@pytest.fixture
def namespace(kube, request):
    """A namespace of the test's own, which takes no pod that isn't restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    made = kube.core.create_namespace({"metadata": {"generateName": "test-", "labels": labels}}).metadata.name
    until = time.monotonic() + 30
    while "default" not in [each.metadata.name for each in kube.core.list_namespaced_service_account(made).items]:
        assert time.monotonic() < until, "the namespace has no service account"
        time.sleep(0.05)
    yield made
    kube.core.delete_namespace(made)


@dataclass(frozen=True)
class Programs:
    """helm and helmfile as somebody has them, with folders of their own."""

    environment: dict[str, str]

    def run(self, *command, cwd=None, stdin=None):
        return subprocess.run(
            command, env=self.environment, cwd=cwd, input=stdin, stdin=None if stdin else subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def programs(tmp_path_factory, note):
    """Without a cluster: 'helm template' and 'helm lint' need none."""
    found = tools.programs("helm", "helmfile")
    home = tmp_path_factory.mktemp("home")
    own = {
        "HOME": str(home),
        "PATH": os.pathsep.join((*(str(program.parent) for program in found.values()), os.environ["PATH"])),
        **{f"{name}_HOME": str(home / name.lower()) for name in ("HELM_CACHE", "HELM_CONFIG", "HELM_DATA", "HELMFILE_CACHE")},
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HELM", "KUBE"))}
    plugins, what = diff_plugin(found["helm"], home)
    note(f"helm diff: {what}")
    return Programs({**environment, **own, "HELM_PLUGINS": str(plugins)})


def diff_plugin(helm, home):
    """The folder of Helm's plugins that helmfile's diff is from, and what it is."""
    named = os.environ.get("HELM_DIFF")
    if named:
        if not pathlib.Path(named, "plugin.yaml").is_file():
            pytest.exit(f"HELM_DIFF={named} is not the folder of a plugin: it has no plugin.yaml", returncode=1)
        return linked(home, pathlib.Path(named)), f"the plugin in {named}"
    listed = subprocess.run([helm, "plugin", "list"], capture_output=True, text=True, check=True).stdout
    if any(line.split()[:1] == ["diff"] for line in listed.splitlines()):
        folder = subprocess.run([helm, "env", "HELM_PLUGINS"], capture_output=True, text=True, check=True).stdout.strip()
        return folder, "the plugin that is installed here"
    return linked(home, HERE / "helm_diff"), "the stand-in in tests/kube/helm_diff, for want of the plugin"


def linked(home, plugin):
    plugins = home / "plugins"
    plugins.mkdir()
    (plugins / "diff").symlink_to(plugin.resolve())
    return plugins


@pytest.fixture
def on_cluster(programs, kube):
    """helm and helmfile that reach the control plane."""
    return Programs({**programs.environment, "KUBECONFIG": str(kube.control_plane.kubeconfig)})


@pytest.fixture(scope="session")
def eventually():
    """What a question answers when it is true, at last."""

    def ask(question, seconds=60):
        until = time.monotonic() + seconds
        while not (answer := question()):
            assert time.monotonic() < until, f"not so after {seconds} s"
            time.sleep(0.1)
        return answer

    return ask


@pytest.fixture
def role(kube, namespace, tmp_path):
    """role(*options, entry='main', environment={}, **variables without the role's name): its Run in the test's namespace."""

    def run(*options, entry="main", environment=None, **variables):
        (tmp_path / "play.yml").write_text(role_run.playbook_of_role(entry, {"namespace": namespace, **variables}))
        helm = tools.programs("helm")["helm"]
        return role_run.ansible(kube.control_plane, helm, tmp_path, "--inventory", "localhost,", "play.yml", *options, **(environment or {}))

    return run
