# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases: their names, values and time limits."""

from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.plans import kubernetes_plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.releases import LONGEST, PULL_SECONDS, release_name, releases
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy.cases import LLAMA
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._kubernetes.test_classes import node

CLAIM = {"source": "claim", "claim_name": "models"}


@pytest.fixture(scope="module")
def planned():
    classes = node_classes([node("h100-x8"), node("gke-t4")])["classes"]
    return kubernetes_plans({**truth.plain(LLAMA), "header_only": False}, classes, {"choose": "each"})


def test_one_has_the_servers_name(planned):
    one = {"plans": [{**row, "chosen": index == 0} for index, row in enumerate(planned["plans"])]}
    (release,) = releases(one, "chat", {"model": CLAIM})
    assert (release["name"], release["server"], release["chart_values"]["fullnameOverride"]) == ("chat", "chat", "chat")
    assert json.loads(release["record"]["data"]["values.json"]) == release["chart_values"]
    probe = release["chart_values"]["probes"]["startup"]
    assert release["ready_seconds"] == probe["periodSeconds"] * probe["failureThreshold"] + PULL_SECONDS


def test_each_class_has_its_own(planned):
    found = releases(planned, "chat", {"model": CLAIM, "each": True})
    assert [each["name"] for each in found] == [f"chat-{each['node_class']}" for each in found] and len({each["name"] for each in found}) == 2
    assert [each["plan"]["node"]["gpus"][0]["name"] for each in found] == [row["plan"]["node"]["gpus"][0]["name"] for row in planned["plans"]]


def test_a_download_has_its_time(planned):
    files = [{"url": "https://example.com/model.gguf"}]
    download, claim = (releases(planned, "chat", {"model": model, "each": True})[0]["ready_seconds"] for model in ({"files": files}, CLAIM))
    assert 200 < download - claim < 600


def test_values_of_ones_own_count_more(planned):
    values = {"fullnameOverride": "talk", "server": {"port": 9000}}
    found = releases(planned, "chat", {"model": CLAIM, "each": True, "values": values})[0]["chart_values"]
    assert (found["fullnameOverride"], found["server"]["port"]) == ("talk", 9000)


def test_long_names_stay_apart():
    names = {release_name("chat", f"nvidia-rtx-pro-6000-blackwell-server-edition-x{count}") for count in (1, 2, 4, 8)}
    assert len(names) == 4 and all(len(name) <= LONGEST for name in names)


@pytest.mark.parametrize("name", ["", "Chat", "chat_1", "-chat", "chat-", "1chat", "c" * (LONGEST + 1)])
def test_names_that_a_cluster_does_not_take(planned, name):
    with pytest.raises(InfraError, match="not the name of a server in a cluster"):
        releases(planned, name, {"model": CLAIM})


def test_something_else():
    with pytest.raises(InfraError, match="not plans for classes of nodes"):
        releases({"plans": None}, "chat", {})
