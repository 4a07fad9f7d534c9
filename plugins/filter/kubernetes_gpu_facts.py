# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter kubernetes_gpu_facts."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.facts import facts_by_node

DOCUMENTATION = r"""
name: kubernetes_gpu_facts
short_description: What the nodes of a Kubernetes cluster have, from their labels
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Reads Node objects into the shape of the facts of M(prositronic.infra.gpu_facts), without touching the nodes.
  - Reads the labels of NVIDIA's GPU Feature Discovery, of Google Kubernetes Engine, of AMD's node labeller and of Intel's NFD rules,
    and the ResourceSlices of the DRA drivers of NVIDIA, AMD and Intel, which say more and take the place of the vendor's labels.
  - MIG instances are devices of their own. What labels do not tell comes from the table of GPUs in C(docs/gpus.md) by the product that they name.
    A GPU whose memory neither tells is left out and named under C(problems); so is one that no pod can be given.
  - Labels do not tell what other pods use. The free memory is that of an idle GPU, the available RAM what the node lets pods have.
options:
  _input:
    description: The nodes, as C(resources) of C(kubernetes.core.k8s_info) for C(kind=Node), or C(items) of C(kubectl get nodes -o json).
    type: list
    elements: dict
    required: true
  resource_slices:
    description: The same of C(kind=ResourceSlice) (C(resource.k8s.io/v1), C(v1beta2) or C(v1beta1)).
    type: list
    elements: dict
  sharing:
    description:
      - What to do with a GPU that several pods share (time-slicing, MPS, Intel's C(shared-dev-num)).
      - V(refuse) leaves it out, because its memory is not divided between pods.
        V(divide) counts it with the share of one pod, of its total and of what is free, which is right as long as every pod keeps to its own.
    type: str
    choices: [refuse, divide]
    default: refuse
  memory_used_bytes:
    description:
      - What is taken of each GPU before llama-server starts. By default what the driver keeps for itself, from the table of GPUs,
        and 67108864 of a MIG instance.
      - Not for GPUs that share the RAM.
    type: int
seealso:
  - module: prositronic.infra.gpu_facts
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Facts of each node of a cluster
  ansible.builtin.set_fact:
    by_node: "{{ (lookup('ansible.builtin.file', '/tmp/nodes.json') | from_json)['items'] | prositronic.infra.kubernetes_gpu_facts }}"

- name: The problems of one of them
  ansible.builtin.debug:
    msg: "{{ by_node['l4-shared'].problems }}"

- name: A node whose GPU four pods share, each with a quarter
  ansible.builtin.debug:
    msg: "{{ ([node] | prositronic.infra.kubernetes_gpu_facts(sharing='divide')).worker.devices }}"
  vars:
    node:
      metadata:
        name: worker
        labels:
          nvidia.com/gpu.product: NVIDIA-L4-SHARED
          nvidia.com/gpu.count: "1"
          nvidia.com/gpu.memory: "23034"
          nvidia.com/gpu.replicas: "4"
      status:
        capacity:
          memory: 65842000Ki
          nvidia.com/gpu: "4"
        allocatable:
          memory: 63744000Ki
          nvidia.com/gpu: "4"
"""

RETURN = r"""
_value:
  description:
    - By the name of each node its facts, in the shape of the facts of M(prositronic.infra.gpu_facts). What a cluster does not know is V(null).
    - Codes of C(problems) are V(gpu_unlabelled), V(gpu_unknown), V(gpu_not_allocatable), V(gpu_unhealthy), V(gpu_mixed), V(gpu_shared), V(gpu_partitioned),
      V(gpu_memory_unclear), V(gpu_full), V(node_not_ready) and V(node_cordoned).
  type: dict
"""


@plain_filter
def kubernetes_gpu_facts(nodes, resource_slices=None, **options):
    return facts_by_node(nodes, resource_slices, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"kubernetes_gpu_facts": kubernetes_gpu_facts}
