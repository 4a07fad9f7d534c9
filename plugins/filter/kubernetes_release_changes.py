# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter kubernetes_release_changes."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.objects import changes
from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter

DOCUMENTATION = r"""
name: kubernetes_release_changes
short_description: Which objects of a cluster stand in the way of a server, and which are left over
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Tells an object that somebody else made from those that the role P(prositronic.infra.llama_server_kubernetes#role) made for this server.
positional: live, name
options:
  _input:
    description: The objects that are wanted.
    type: list
    elements: dict
    required: true
  live:
    description: RV(prositronic.infra.kubernetes_release_info#module:release).
    type: dict
    required: true
  name:
    description: The name of the server.
    type: str
    required: true
seealso:
  - module: prositronic.infra.kubernetes_release_info
"""

EXAMPLES = r"""
- name: A Service that is somebody else's
  ansible.builtin.debug:
    msg: "{{ ([wanted] | prositronic.infra.kubernetes_release_changes(live, 'chat')).foreign }}"
  vars:
    wanted: {apiVersion: v1, kind: Service, metadata: {name: chat}}
    live:
      owned: []
      named:
        - {apiVersion: v1, kind: Service, name: chat, labels: {app.kubernetes.io/managed-by: Helm}}
"""

RETURN = r"""
_value:
  description: What follows.
  type: dict
  contains:
    foreign:
      description: Objects that are wanted and belong to somebody else.
      type: list
      elements: str
      sample: [Service chat (of Helm)]
    left_over:
      description: Objects of the server that are not wanted any more, each with C(apiVersion), C(kind) and C(name). A claim with a model is never among them.
      type: list
      elements: dict
"""


@plain_filter
def kubernetes_release_changes(wanted, live, name):
    return changes(wanted, live, name)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"kubernetes_release_changes": kubernetes_release_changes}
