# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of a cluster."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.nodes import nodes

from .cluster import api

NODE = {
    "metadata": {"name": "gpu-1", "labels": {"nvidia.com/gpu.product": "NVIDIA-L4"}, "annotations": {"long": "x" * 1000}, "managedFields": [{}]},
    "spec": {"podCIDR": "10.0.0.0/24", "taints": [{}]},
    "status": {
        "capacity": {"nvidia.com/gpu": "1"},
        "allocatable": {"nvidia.com/gpu": "1"},
        "nodeInfo": {"architecture": "amd64"},
        "images": [{"names": ["x" * 1000]}],
        "conditions": [{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": "True", "message": "kubelet is posting ready status"}],
    },
}
SLICE = {"metadata": {"name": "a", "managedFields": [{}]}, "spec": {"driver": "gpu.nvidia.com", "nodeName": "gpu-1"}}


def test_what_is_read_of_a_node():
    client, pool = api({"/api/v1/nodes": {"items": [NODE, {"metadata": {"name": "bare"}, "spec": {"unschedulable": True}}]}})
    found = nodes(client, "pool=llm")
    assert found["nodes"] == [
        {
            "kind": "Node",
            "metadata": {"name": "gpu-1", "labels": {"nvidia.com/gpu.product": "NVIDIA-L4"}},
            "spec": {"unschedulable": False},
            "status": {**{key: NODE["status"][key] for key in ("capacity", "allocatable", "nodeInfo")}, "conditions": [{"type": "Ready", "status": "True"}]},
        },
        {
            "kind": "Node",
            "metadata": {"name": "bare", "labels": {}},
            "spec": {"unschedulable": True},
            "status": {"capacity": {}, "allocatable": {}, "nodeInfo": {}, "conditions": []},
        },
    ]
    assert found["resource_slices"] == []
    assert "labelSelector=pool%3Dllm" in pool.asked[-1][1]


@pytest.mark.parametrize("version", ["v1", "v1beta2", "v1beta1"])
def test_slices_of_the_newest_version_that_the_cluster_has(version):
    client, _pool = api({"/api/v1/nodes": {"items": []}, f"/apis/resource.k8s.io/{version}/resourceslices": {"items": [SLICE]}})
    assert nodes(client)["resource_slices"] == [{"kind": "ResourceSlice", "metadata": {"name": "a"}, "spec": SLICE["spec"]}]


def test_who_may_not_read_nodes():
    client, _pool = api({"/api/v1/nodes": (403, {"kind": "Status", "message": "nodes is forbidden"})})
    with pytest.raises(InfraError, match="the API server refused .*nodes is forbidden"):
        nodes(client)
