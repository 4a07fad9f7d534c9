# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for a release: until it has rolled out, and no longer than there is hope."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import ready
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import FIXTURES

from .cluster import api, pod

PODS, LOG = "/api/v1/namespaces/models/pods", "/api/v1/namespaces/models/pods/chat-1/log"
DEPLOYMENTS = "/apis/apps/v1/namespaces/models/deployments"


def deployment(ready_replicas=0, observed=2, conditions=()):
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": ready_replicas}
    return {
        "items": [
            {
                "metadata": {"name": "chat", "generation": 2},
                "spec": {"replicas": 1},
                "status": {"observedGeneration": observed, **counts, "conditions": list(conditions)},
            }
        ]
    }


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time that passes by waiting alone."""
    now = [0.0]
    monkeypatch.setattr(ready.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(ready.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_it_is_ready_once_its_controller_has_looked(clock):
    client, _pool = api({DEPLOYMENTS: [deployment(1, observed=1), deployment(0), deployment(1)], PODS: {"items": [pod(ready=False)]}})
    ready.wait(client, "models", "chat", 60)
    assert clock[0] == 2 * ready.LOOK_SECONDS


def test_a_time_limit_with_the_reason():
    client, _pool = api({DEPLOYMENTS: deployment(), PODS: {"items": [pod(ready=False)]}, LOG: b"loading\nstill loading\n"})
    with pytest.raises(ready.NotReady, match=r"pod chat-1: container server runs and is not ready, expected ready within 30 seconds") as failed:
        ready.wait(client, "models", "chat", 30)
    assert "Its log ends with: loading / still loading" in str(failed.value)
    assert failed.value.log["read"] is True


def test_a_server_that_stops_again_and_again_is_given_up(clock):
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    rows = [
        pod(ready=False, statuses=[{"name": "server", "restartCount": count, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}])
        for count in range(4)
    ]
    log = (FIXTURES / "cuda_out_of_memory.log").read_bytes()
    client, pool = api({DEPLOYMENTS: deployment(), PODS: [{"items": [row]} for row in rows], LOG: log})
    with pytest.raises(ready.NotReady, match="Its log says: .*too little memory free") as failed:
        ready.wait(client, "models", "chat", 600)
    assert clock[0] == ready.MOST_RESTARTS * ready.LOOK_SECONDS
    assert any("previous=true" in path for _method, path, _headers in pool.asked)
    assert failed.value.log["failure"]


def test_an_image_that_can_not_be_pulled_has_a_minute(clock):
    waiting = [{"name": "server", "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}}]
    client, _pool = api({DEPLOYMENTS: deployment(), PODS: {"items": [pod(ready=False, statuses=waiting)]}})
    with pytest.raises(ready.NotReady, match="ErrImagePull: no such host"):
        ready.wait(client, "models", "chat", 600)
    assert ready.PATIENCE_SECONDS <= clock[0] < ready.PATIENCE_SECONDS + 2 * ready.LOOK_SECONDS


def test_pods_that_nobody_may_make():
    refused = [{"type": "ReplicaFailure", "status": "True", "message": 'pods "chat-1" is forbidden: exceeded quota'}]
    client, _pool = api({DEPLOYMENTS: deployment(conditions=refused), PODS: {"items": []}})
    with pytest.raises(ready.NotReady, match="Deployment chat: .*exceeded quota"):
        ready.wait(client, "models", "chat", 600)


def test_nothing_to_wait_for():
    client, _pool = api({})
    with pytest.raises(ready.NotReady, match="there is no workload"):
        ready.wait(client, "models", "chat", 5)
