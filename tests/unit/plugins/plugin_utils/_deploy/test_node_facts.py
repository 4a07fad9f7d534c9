# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that the facts of the node answer."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases

PLAN = cases.planned("one-gpu")


def facts(*engines, wsl=False):
    return {"platform": {"engines": [{"name": name, "version": version, "cdi": cdi} for name, version, cdi in engines], "wsl": wsl}}


def rendered(target, node, **options):
    return cases.manifests(PLAN, target, {"model": "/srv/models/model.gguf", "facts": node, **options})


def test_an_old_podman_gets_what_it_knows():
    old = rendered("quadlet", facts(("podman", "4.9.3", True)))
    assert old["files"] == rendered("quadlet", None, podman_version="4.9.3")["files"]
    assert "The node has Podman 4.9.3." in old["reasons"]


def test_a_podman_without_quadlet_is_refused():
    with pytest.raises(InfraError, match="this Podman has no Quadlet"):
        rendered("quadlet", facts(("podman", "4.3.1", True)))


def test_compose_of_podman_where_there_is_no_docker():
    assert rendered("compose", facts(("podman", "5.4.2", True)))["engine"] == "podman"
    assert rendered("compose", facts(("podman", "5.4.2", True), ("docker", "28.3.0", True)))["engine"] == "docker"


def test_a_docker_without_cdi_reserves_its_gpus():
    assert rendered("compose", facts(("docker", "26.1.5", False)))["files"] == rendered("compose", None, gpu_access="reservation")["files"]
    assert rendered("compose", facts(("docker", "28.3.0", True)))["files"] == rendered("compose", None)["files"]


def test_under_wsl_all_gpus_are_one_device():
    assert "AddDevice=nvidia.com/gpu=all" in rendered("quadlet", facts(("podman", "5.4.2", True), wsl=True))["files"][0]["content"]
    assert rendered("systemd", facts(wsl=True))["files"] == rendered("systemd", None)["files"]


def test_groups_of_device_nodes_are_those_of_the_node():
    plan = cases.planned("amd")
    node = {**facts(("podman", "5.4.2", True)), "devices": [{"vendor": "amd", "device_group_ids": [991, 44]}, {"vendor": "nvidia", "device_group_ids": []}]}
    found = cases.manifests(plan, "quadlet", {"model": "/srv/models/model.gguf", "facts": node})
    assert "GroupAdd=44\nGroupAdd=991\n" in found["files"][0]["content"]
    assert not [warning for warning in found["warnings"] if "groups render and video" in warning]
    assert "The GPU's device nodes belong to the groups 44, 991 of the node." in found["reasons"]


def test_what_is_given_counts():
    assert "PodmanArgs" in rendered("quadlet", facts(("podman", "5.4.2", True)), podman_version="4.4")["files"][0]["content"]
    assert "The node has" not in " ".join(rendered("quadlet", facts(("podman", "5.4.2", True)), podman_version="4.4")["reasons"])


@pytest.mark.parametrize("wrong", [{}, {"platform": None}, {"platform": {"engines": "podman"}}])
def test_what_are_no_facts(wrong):
    with pytest.raises(InfraError, match="not the facts of a node"):
        rendered("quadlet", wrong)
