#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster has of a server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_release_info
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: What a Kubernetes cluster has of a server that was deployed
description:
  - Returns the objects that the role P(prositronic.infra.llama_server_kubernetes#role) made for a server, told by their labels, the plan of each of its
    releases, and the values with which each was last ready.
  - Of the objects in O(objects) it says which are there, whoever made them, so that none is taken over.
  - Of other people's objects only names and labels are read.
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
  namespace:
    description: The namespace.
    type: str
    default: default
  name:
    description: The name of the server, as the role was given it.
    type: str
    required: true
  objects:
    description: Objects whose names are looked for, each with C(apiVersion), C(kind) and C(metadata.name).
    type: list
    elements: dict
    default: []
seealso:
  - plugin: prositronic.infra.kubernetes_release_changes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look what is there of the server
  prositronic.infra.kubernetes_release_info:
    namespace: models
    name: chat
  register: there

- name: Show the digests of what the plans were made from
  ansible.builtin.debug:
    msg: "{{ there.release.releases | map(attribute='plan.inputs') }}"
"""

RETURN = r"""
release:
  description: The server in the cluster.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    version:
      description: The version of the API server.
      type: str
      sample: v1.35.1
    api_versions:
      description: The versions of APIs that it has.
      type: list
      elements: str
      sample: [apps/v1, v1]
    namespace_exists:
      description: Whether the namespace is there.
      type: bool
      sample: true
    owned:
      description: The objects of the server, each with C(apiVersion), C(kind), C(name) and C(labels).
      type: list
      elements: dict
    named:
      description: Those of O(objects) that are there, in the same shape.
      type: list
      elements: dict
    releases:
      description:
        - The server's releases. It has one, or one for each class of nodes. C(plan) is what was applied last, C(values) those of the chart with which it was
          ready last; V(null) where there are none.
      type: list
      elements: dict
      sample: [{name: chat, node_class: nvidia-l4, plan: {schema: 2}, values: {server: {port: 8080}}}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.connection import argument_spec, connected
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.release import release


def main():
    module = AnsibleModule(
        argument_spec={
            **argument_spec(),
            "namespace": {"type": "str", "default": "default"},
            "name": {"type": "str", "required": True},
            "objects": {"type": "list", "elements": "dict", "default": []},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        module.exit_json(changed=False, release=release(connected(module), given["namespace"], given["name"], given["objects"]))
    except InfraError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
