#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_nodes_info
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: The nodes of a Kubernetes cluster, with what plans are made from
description:
  - Returns the Node objects of a cluster and the ResourceSlices of its DRA drivers, for P(prositronic.infra.kubernetes_node_classes#filter) and
    P(prositronic.infra.kubernetes_gpu_facts#filter).
  - Of a Node object that is its name, labels, capacity, what pods may have, system and whether it is ready. The rest is left out, so that a cluster of a
    thousand nodes is read in a second.
extends_documentation_fragment:
  - prositronic.infra.kubernetes_cluster
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  label_selector:
    description: Which nodes to return, as C(kubectl get nodes --selector) takes it.
    type: str
seealso:
  - plugin: prositronic.infra.kubernetes_node_classes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the nodes
  prositronic.infra.kubernetes_nodes_info:
  register: cluster

- name: Show which kinds of nodes the cluster has
  ansible.builtin.debug:
    msg: "{{ (cluster.nodes | prositronic.infra.kubernetes_node_classes(cluster.resource_slices)).classes | map(attribute='name') }}"
"""

RETURN = r"""
nodes:
  description: The Node objects, with the keys that are read of them.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: Node
      metadata: {name: gpu-1, labels: {nvidia.com/gpu.product: NVIDIA-L4}}
      spec: {unschedulable: false}
      status:
        capacity: {memory: 65842000Ki, nvidia.com/gpu: "1"}
        allocatable: {memory: 63744000Ki, nvidia.com/gpu: "1"}
        nodeInfo: {architecture: amd64}
        conditions: [{type: Ready, status: "True"}]
resource_slices:
  description: The ResourceSlice objects, none where the cluster has no such kind.
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.connection import argument_spec, connected
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.nodes import nodes


def main():
    module = AnsibleModule(argument_spec={**argument_spec(), "label_selector": {"type": "str"}}, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **nodes(connected(module), module.params["label_selector"]))
    except InfraError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
