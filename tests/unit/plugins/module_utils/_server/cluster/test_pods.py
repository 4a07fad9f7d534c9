# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a pod that does not serve waits for, in a sentence."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import pods

from .cluster import api, pod

UNSCHEDULED = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]


def waiting(reason, message=None, **more):
    return [{"name": "server", "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}, **more}]


@pytest.mark.parametrize("found, said", [
    (pod(ready=False), "container server runs and is not ready"),
    (pod(ready=False, statuses=[{"name": "server"}], phase="Pending", conditions=UNSCHEDULED), "no node takes it: 0/3 nodes are available: 3 Insufficient"),
    (pod(ready=False, statuses=waiting("ImagePullBackOff", "Back-off pulling image")), "container server: ImagePullBackOff: Back-off pulling image"),
    (pod(ready=False, statuses=waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})),
     "container server ended with exit status 137: the memory limit did not suffice"),
    (pod(ready=False, statuses=waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 1, "message": "no\x1b[31m model\n"}})),
     "container server ended with exit status 1: no [31m model"),
    (pod(ready=False, phase="Failed", reason="Evicted", message="The node was low on memory."), "it has failed: Evicted: The node was low on memory."),
    (pod(ready=False, statuses=waiting("PodInitializing")), "it is Running"),
])  # fmt: skip
def test_what_it_waits_for(found, said):
    assert pods.state(found).startswith(said)


def test_what_waiting_does_not_help():
    assert pods.blocked(pod()) is None
    assert pods.blocked(pod(statuses=waiting("ContainerCreating"))) is None
    assert pods.blocked(pod(statuses=waiting("CreateContainerConfigError", 'secret "keys" not found')))[0] == "CreateContainerConfigError"


def test_where_it_listens():
    assert pods.address(pod(host="127.0.0.1")) == ("127.0.0.1", 8080, "http")
    secure = pod()
    secure["spec"]["containers"][0]["args"] += ["--ssl-cert-file", "/x"]
    assert pods.address(secure) == ("0.0.0.0", 8080, "https")


def test_pods_that_go_and_workers_are_not_asked():
    going, worker = pod("going"), pod("worker")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z"
    worker["spec"]["containers"][0]["ports"] = [{"name": "rpc", "containerPort": 50052}]
    client, pool = api({"/api/v1/namespaces/models/pods": {"items": [going, worker, pod("new")]}})
    assert [found["metadata"]["name"] for found in pods.of_release(client, "models", "chat")] == ["new"]
    assert pool.asked[0][1].endswith("labelSelector=app.kubernetes.io%2Finstance%3Dchat")
    assert pool.asked[0][2]["authorization"] == "Bearer t"


def test_a_pod_that_is_not_there_or_not_ours():
    other = pod("other")
    other["spec"]["containers"][0]["ports"] = []
    client, _pool = api({"/api/v1/namespaces/models/pods/other": other})
    with pytest.raises(InfraError, match="there is no such pod"):
        pods.named(client, "models", "none")
    with pytest.raises(InfraError, match="no container with a port named http"):
        pods.named(client, "models", "other")


def test_the_last_warnings_each_once():
    told = [{"reason": "BackOff", "message": f"m{number % 4}", "lastTimestamp": f"2026-01-01T00:00:0{number}Z"} for number in range(8)]
    client, _pool = api({"/api/v1/namespaces/models/events": {"items": told}})
    assert pods.events(client, "models", "chat-1") == ["BackOff: m1", "BackOff: m2", "BackOff: m3"]
