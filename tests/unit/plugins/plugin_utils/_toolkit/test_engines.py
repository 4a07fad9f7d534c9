# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._toolkit.steps import steps
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._toolkit import nodes


def settings(*given, **options):
    """{engine: {dotted path: value}}."""
    result = steps(*given, options)
    assert result["verdict"] == "apply", result["reason"]
    return {step["name"]: {".".join(one["path"]): one["value"] for one in step["config"]["settings"]} for step in result["engines"]}


CDI = {"features.cdi": True}
RUNTIME = {"runtimes.nvidia.path": "nvidia-container-runtime", "runtimes.nvidia.args": []}


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("20.10.24", RUNTIME),
        (("25.0.0", False), CDI),
        (("26.1.5", True), CDI),
        (("28.2.0", True), None),
        # Somebody's "false": the role finds it as a conflict when it sets it.
        (("28.2.0", False), CDI),
    ],
)
def test_docker_gets_cdi_where_it_has_it_and_the_runtime_where_not(engine, expected):
    assert settings(*nodes.node({"docker": engine})) == ({"docker": expected} if expected else {})


def test_podman_needs_nothing():
    assert settings(*nodes.node({"podman": "5.4.2"}), runtime="always") == {}


CRI2, CRI3 = "plugins.io.containerd.grpc.v1.cri", "plugins.io.containerd.cri.v1.runtime"


@pytest.mark.parametrize(
    ("engine", "file", "expected"),
    [
        ("1.7.24", 2, {f"{CRI2}.enable_cdi": True}),
        ("1.7.24", None, {"version": 2, f"{CRI2}.enable_cdi": True}),
        (("2.1.0", True), 3, None),
        (("2.1.0", False), 3, {f"{CRI3}.enable_cdi": True}),
        (("2.1.0", False), 2, {f"{CRI2}.enable_cdi": True}),
    ],
)
def test_containerd_is_set_in_the_format_of_its_file(engine, file, expected):
    got = settings(*nodes.node({"containerd": engine}, info={"containerd_version": file}))
    assert got == ({"containerd": expected} if expected else {})


def test_an_old_containerd_gets_the_runtime():
    got = settings(*nodes.node({"containerd": "1.6.20"}, info={"containerd_version": 2}))["containerd"]
    assert got[f"{CRI2}.containerd.runtimes.nvidia.options.BinaryName"] == "/usr/bin/nvidia-container-runtime"
    assert f"{CRI2}.enable_cdi" not in got


def test_a_file_of_containerd_in_the_first_format_is_refused():
    result = steps(*nodes.node({"containerd": "1.7.24"}, info={"containerd_version": 1}), {})
    assert result["verdict"] == "refuse" and "containerd config migrate" in result["reason"]


def test_a_file_of_containerd_in_a_format_of_the_future_is_refused_without_bad_advice():
    result = steps(*nodes.node({"containerd": "3.0.0"}, info={"containerd_version": 4}), {})
    assert result["verdict"] == "refuse" and "a format that is not known here (got version 4" in result["reason"]
    assert "migrate" not in result["reason"]


def test_containerd_beside_docker_is_docker_s():
    both = {"docker": ("26.1.5", True), "containerd": "1.7.24"}
    assert set(settings(*nodes.node(both))) == {"docker"}
    assert set(settings(*nodes.node(both), engines=["containerd"])) == {"containerd"}
    assert set(settings(*nodes.node(both, kubernetes_node=True))) == {"docker", "containerd"}


def test_kubernetes_chooses_the_runtime_by_its_name():
    got = settings(*nodes.node({"crio": "1.34.0"}, kubernetes_node=True))
    assert got == {
        "crio": {"crio.runtime.runtimes.nvidia.runtime_path": "/usr/bin/nvidia-container-runtime", "crio.runtime.runtimes.nvidia.runtime_type": "oci"}
    }
    assert settings(*nodes.node({"crio": "1.34.0"})) == {}


@pytest.mark.parametrize(
    ("engine", "path"),
    [
        ({"docker": "28.2.0"}, "default-runtime"),
        ({"containerd": "2.1.0"}, f"{CRI3}.containerd.default_runtime_name"),
        ({"crio": "1.34.0"}, "crio.runtime.default_runtime"),
    ],
)
def test_the_default_runtime_is_changed_only_when_asked(engine, path):
    (got,) = settings(*nodes.node(engine), default_runtime=True).values()
    assert got[path] == "nvidia"
    # The default has to be known by its name too.
    assert any("runtimes.nvidia" in name for name in got)
    assert all(path not in one for one in settings(*nodes.node(engine), runtime="always").values())


def test_an_engine_that_is_not_there_is_refused():
    result = steps(*nodes.node({"podman": "5.4.2"}), {"engines": ["docker"]})
    assert result["verdict"] == "refuse" and "docker is not on the node" in result["reason"]


@pytest.mark.parametrize(("flag", "options"), [("--add-runtime=x=/y", {"runtime": "always"}), ("--default-runtime", {"default_runtime": True})])
def test_docker_is_not_given_in_its_file_what_it_is_started_with(flag, options):
    given = nodes.node({"docker": "26.1.5"})
    given[1]["daemons"]["docker"]["arguments"] = ["-H", "fd://", flag, "x"]
    result = steps(*given, options)
    assert result["verdict"] == "refuse" and flag.partition("=")[0] in result["reason"]
    assert steps(*given, {})["verdict"] == "apply"


def test_the_file_is_the_one_that_the_daemon_is_started_with_and_it_is_checked_where_it_can_be():
    given = nodes.node({"docker": "26.1.5"})
    given[1]["daemons"]["docker"]["arguments"] = ["--config-file", "/srv/docker.json"]
    config = steps(*given, {})["engines"][0]["config"]
    assert config["path"] == "/srv/docker.json"
    assert config["validate"] == ["dockerd", "--validate", "--config-file=%s"]
    assert steps(*nodes.node({"docker": "20.10.24"}), {})["engines"][0]["config"]["validate"] == []


RESTARTS = {
    "never": ("no", "no", "no"),
    "idle": ("yes", "no", "no"),
    "unless_gpu": ("yes", "yes", "no"),
    "always": ("yes", "yes", "yes"),
}


@pytest.mark.parametrize("policy", RESTARTS)
def test_an_engine_is_restarted_only_as_far_as_allowed(policy):
    counts = ({"running": 0, "gpu": 0}, {"running": 2, "gpu": 0}, {"running": 2, "gpu": 1})
    for count, allowed in zip(counts, RESTARTS[policy], strict=True):
        (step,) = steps(*nodes.node({"docker": "26.1.5"}, containers={"docker": count}), {"restart": policy})["engines"]
        assert (step["restart_refusal"] is None) == (allowed == "yes")


def test_the_containers_of_one_engine_do_not_keep_another_from_a_restart():
    (step,) = steps(*nodes.node({"docker": "26.1.5"}, containers={"podman": {"running": 1, "gpu": 1}}), {})["engines"]
    assert step["restart_refusal"] is None


def test_a_daemon_that_does_not_run_is_not_restarted():
    given = nodes.node({"docker": "26.1.5"})
    given[1]["daemons"]["docker"]["active"] = False
    (step,) = steps(*given, {"restart": "never"})["engines"]
    assert not step["restart"]["active"] and step["restart_refusal"] is None


def test_the_docker_of_a_user_is_set_up_beside_that_of_the_system():
    user = {"name": "ada", "id": 1000, "home": "/home/ada", "docker": True, "runtime": "/run/user/1000"}
    result = steps(*nodes.node({"docker": "26.1.5"}, info={"users": [user]}), {"docker_rootless_users": ["ada"]})
    system, own = result["engines"]
    assert (system["user"], own["user"]) == (None, "ada")
    assert own["config"]["path"] == "/home/ada/.config/docker/daemon.json"
    assert own["restart"] == {"unit": "docker.service", "active": True, "scope": "user", "runtime_directory": "/run/user/1000"}
    assert steps(*nodes.node({"docker": "20.10.24"}, info={"users": [user]}), {"docker_rootless_users": ["ada"]})["verdict"] == "refuse"


@pytest.mark.parametrize(("version", "expected"), [("26.1.5", True), ("27.5.1", True), ("28.0.0", False)])
def test_the_docker_of_a_user_is_shown_the_specification_as_long_as_it_can_not_find_it(version, expected):
    user = {"name": "ada", "id": 1000, "home": "/home/ada", "docker": True, "runtime": "/run/user/1000"}
    given = nodes.node({"docker": version}, info={"users": [user]})
    system, own = steps(*given, {"docker_rootless_users": ["ada"]})["engines"]
    link = {"path": "/home/ada/.config/docker/cdi/nvidia.yaml", "to": "/var/run/cdi/nvidia.yaml"}
    assert (system["link"], own["link"]) == (None, link if expected else None)
    asked = {"path": ["cdi-spec-dirs"], "value": ["/home/ada/.config/docker/cdi"]}
    assert asked not in system["config"]["settings"] and (asked in own["config"]["settings"]) == expected
    gone = steps(*given, {"docker_rootless_users": ["ada"], "state": "absent"})["engines"][1]
    assert gone["link"] == ({**link, "to": None} if expected else None)


def test_the_base_alone_is_not_enough_for_an_engine_without_cdi():
    result = steps(*nodes.node({"docker": "20.10.24"}), {"cdi_only": True})
    assert result["verdict"] == "refuse" and "takes no CDI devices" in result["reason"]
