# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter kubernetes_node_classes."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.classes import node_classes

DOCUMENTATION = r"""
name: kubernetes_node_classes
short_description: The nodes of a Kubernetes cluster by what they offer a pod
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Puts nodes together that have as many GPUs of the same kind, offered by the same resource, the same architecture and CUDA, and nearly as much RAM.
    For each such class one plan is right; P(prositronic.infra.llama_kubernetes_plans#filter) makes it.
  - A node with MIG instances of several profiles is in a class for each. Nodes that take no pods now are in none.
  - What labels tell is read as P(prositronic.infra.kubernetes_gpu_facts#filter) does.
options:
  _input:
    description: The nodes, as C(resources) of C(kubernetes.core.k8s_info) for C(kind=Node), or C(items) of C(kubectl get nodes -o json).
    type: list
    elements: dict
    required: true
  resource_slices:
    description: The same of C(kind=ResourceSlice). GPUs that they tell of are asked for by a claim (DRA).
    type: list
    elements: dict
  node_selector:
    description: Labels that a node must have to be looked at.
    type: dict
  sharing:
    description: As for P(prositronic.infra.kubernetes_gpu_facts#filter).
    type: str
    choices: [refuse, divide]
    default: refuse
  memory_used_bytes:
    description: As for P(prositronic.infra.kubernetes_gpu_facts#filter).
    type: int
seealso:
  - plugin: prositronic.infra.kubernetes_gpu_facts
    plugin_type: filter
  - plugin: prositronic.infra.llama_kubernetes_plans
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show which kinds of nodes a cluster has
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.nodes | join(', ') }}"
  loop: "{{ ((lookup('ansible.builtin.file', '/tmp/nodes.json') | from_json)['items'] | prositronic.infra.kubernetes_node_classes).classes }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
_value:
  description: The classes, and why GPUs or nodes are in none.
  type: dict
  contains:
    classes:
      description: The classes, by their names.
      type: list
      elements: dict
      contains:
        name:
          description: What tells the class from the others; letters, digits and hyphens.
          type: str
          sample: nvidia-l4-x2
        nodes:
          description: The names of its nodes.
          type: list
          elements: str
        facts:
          description: In the shape of the facts of M(prositronic.infra.gpu_facts) what the weakest of its nodes has, without what tells one GPU from another.
          type: dict
        gpu:
          description:
            - V(null) without GPUs. Else C(vendor), C(name), C(resource_name) by which pods ask for one, or C(claim) with C(device_class_name) and C(selectors),
              C(count) of a node, C(most_per_pod), and C(pods_per_gpu), more than 1 where a GPU is shared.
          type: dict
        node_affinity:
          description: C(matchExpressions) that hold on the nodes of the class.
          type: list
          elements: dict
        cuda_label:
          description: The label that tells the driver's CUDA on each of the nodes, V(null) for none.
          type: str
    problems:
      description: As in the facts, each with C(node).
      type: list
      elements: dict
"""


@plain_filter
def kubernetes_node_classes(nodes, resource_slices=None, **options):
    return node_classes(nodes, resource_slices, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"kubernetes_node_classes": kubernetes_node_classes}
