# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_kubernetes_releases."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.releases import releases
from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter

DOCUMENTATION = r"""
name: llama_kubernetes_releases
short_description: The releases of the chart llama-server that a server in a Kubernetes cluster consists of
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Gives each chosen class of nodes a release of the chart, with a name and values.
positional: name
options:
  _input:
    description: The plans, as returned by P(prositronic.infra.llama_kubernetes_plans#filter).
    type: dict
    required: true
  name:
    description: The name of the server. It names the objects in the cluster.
    type: str
    required: true
  each:
    description: Whether the class of nodes is part of the name of a release, which is needed where there are several.
    type: bool
    default: false
notes:
  - All other options are those of P(prositronic.infra.helm_values#filter).
seealso:
  - plugin: prositronic.infra.helm_values
    plugin_type: filter
  - plugin: prositronic.infra.llama_kubernetes_plans
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the values for the smallest GPUs of a cluster that hold a model
  ansible.builtin.debug:
    msg: "{{ (plans | prositronic.infra.llama_kubernetes_releases('chat', model=volume))[0].chart_values }}"
  vars:
    nodes: "{{ (lookup('ansible.builtin.file', '/tmp/nodes.json') | from_json)['items'] }}"
    classes: "{{ (nodes | prositronic.infra.kubernetes_node_classes).classes }}"
    plans: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') | prositronic.infra.llama_kubernetes_plans(classes, ctx_size=8192) }}"
    volume:
      source: claim
      claim_name: models
"""

RETURN = r"""
_value:
  description: The releases.
  type: list
  elements: dict
  contains:
    name:
      description: The name of the release, and of its objects.
      type: str
      sample: chat
    server:
      description: The name of the server.
      type: str
      sample: chat
    node_class:
      description: The class of nodes that it is for.
      type: str
      sample: nvidia-l4
    plan:
      description: The plan.
      type: dict
    chart_values:
      description: The values of the chart.
      type: dict
    record:
      description: A ConfigMap with the values, to be kept once the release is ready.
      type: dict
    ready_seconds:
      description: How long it may take until it is ready, from its download, its image and its start.
      type: int
      sample: 1420
"""


@plain_filter
def llama_kubernetes_releases(planned, name, **options):
    return releases(planned, name, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_kubernetes_releases": llama_kubernetes_releases}
