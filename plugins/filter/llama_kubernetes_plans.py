# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_kubernetes_plans."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.plans import kubernetes_plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter

DOCUMENTATION = r"""
name: llama_kubernetes_plans
short_description: A plan for each class of nodes of a Kubernetes cluster
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Plans a model for each class of nodes, with as few GPUs as hold everything (where none do, with those that make it fastest), and chooses the classes
    that a server is for.
  - It is an error when the model runs on none.
positional: classes
options:
  _input:
    description: The model, as the lookup P(prositronic.infra.gguf#lookup) returns it.
    type: dict
    required: true
  classes:
    description: C(classes) of P(prositronic.infra.kubernetes_node_classes#filter).
    type: list
    elements: dict
    required: true
  choose:
    description:
      - V(smallest) takes the class with the least GPU memory that holds everything, so that larger GPUs stay free for larger models; where none does,
        and with V(fastest), the class on which the model is expected to be fastest.
      - V(each) takes every class on which the model fits.
    type: str
    choices: [smallest, fastest, each]
    default: smallest
  only:
    description: The names of the classes to look at. By default all.
    type: list
    elements: str
  gpus:
    description: How many GPUs each server has. By default as few as hold everything.
    type: int
  multi_node:
    description:
      - Plans a server and workers on several nodes of one class, for a model that no node holds, as P(prositronic.infra.llama_multi_node_plan#filter) does.
        Read C(docs/multi_node.md) first.
    type: dict
    suboptions:
      node_class:
        description: The class of nodes. By default the one whose nodes have most GPU memory together.
        type: str
      nodes:
        description: How many of its nodes at most. The fewest that hold the model are taken.
        type: int
      link_bytes_per_second:
        description: What the network carries in one direction.
        type: float
        required: true
      round_trip_seconds:
        description: How long a small message and its answer take.
        type: float
        required: true
      worker_cache:
        description: Whether workers keep tensors on their disks.
        type: bool
        default: false
  previous:
    description: Plans of before by the names of classes, each kept while the model, the class and the wishes are those it was made from.
    type: dict
notes:
  - All other options are those of P(prositronic.infra.llama_plan#filter).
seealso:
  - plugin: prositronic.infra.kubernetes_node_classes
    plugin_type: filter
  - plugin: prositronic.infra.helm_values
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show where in a cluster a model would run
  ansible.builtin.debug:
    msg: "{{ (model | prositronic.infra.llama_kubernetes_plans(classes, ctx_size=16384)).reasons }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    classes: "{{ ((lookup('ansible.builtin.file', '/tmp/nodes.json') | from_json)['items'] | prositronic.infra.kubernetes_node_classes).classes }}"
"""

RETURN = r"""
_value:
  description: The plans, and which of them are to be deployed.
  type: dict
  contains:
    plans:
      description:
        - One for each class. C(name), C(node_class) as it was given, C(plan) as of P(prositronic.infra.llama_plan#filter) (V(null) with an C(error)),
          and C(chosen).
      type: list
      elements: dict
    chosen:
      description: The names of the classes that a server is for.
      type: list
      elements: str
    reasons:
      description: Why these.
      type: list
      elements: str
"""


@plain_filter
def llama_kubernetes_plans(model, classes, **options):
    return kubernetes_plans(model, classes, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_kubernetes_plans": llama_kubernetes_plans}
