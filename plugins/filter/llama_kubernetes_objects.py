# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_kubernetes_objects."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.objects import objects
from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter

DOCUMENTATION = r"""
name: llama_kubernetes_objects
short_description: What the chart llama-server rendered, as the objects to apply
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Gives each object the labels by which the role P(prositronic.infra.llama_server_kubernetes#role) knows its own, and leaves out hooks, which only Helm runs.
positional: release
options:
  _input:
    description: The YAML documents that C(helm template) wrote.
    type: list
    elements: dict
    required: true
  release:
    description: The release, as returned by P(prositronic.infra.llama_kubernetes_releases#filter); of it C(server), C(name) and C(node_class) are read.
    type: dict
    required: true
seealso:
  - plugin: prositronic.infra.llama_kubernetes_releases
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the labels
  ansible.builtin.debug:
    msg: "{{ ([document] | prositronic.infra.llama_kubernetes_objects(release))[0].metadata.labels }}"
  vars:
    document: {apiVersion: v1, kind: Service, metadata: {name: chat}}
    release: {server: chat, name: chat, node_class: nvidia-l4}
"""

RETURN = r"""
_value:
  description: The objects.
  type: list
  elements: dict
"""


@plain_filter
def llama_kubernetes_objects(documents, release):
    return objects(documents, release)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_kubernetes_objects": llama_kubernetes_objects}
