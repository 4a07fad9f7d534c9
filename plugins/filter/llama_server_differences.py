# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_differences."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify import differences

DOCUMENTATION = r"""
name: llama_server_differences
short_description: What a running llama-server does otherwise than planned
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Compares what a running server says about itself with the plan it was started from.
  - Compared are the number of slots, the context of one slot, the model's path, its number of weights and, with O(alias), its name.
  - A server reports the context of B(one slot). With a unified cache that is the plan's whole context, without it the plan's context
    divided by the slots; llama.cpp rounds it up to a multiple of 256 and never goes beyond what the model was trained with.
  - A server whose build is older than C(llama_cpp.minimum_build) of the plan differs too.
positional: info
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  info:
    description: RV(prositronic.infra.llama_server_info#module:server), as M(prositronic.infra.llama_server_info) returns it.
    type: dict
    required: true
  model:
    description:
      - Where the model lies on the node. By default the path that the plan was made from.
      - When the plan was made from an address and this is not given, the path is not compared.
    type: str
  alias:
    description: The name under which the server should offer the model. Not compared when it is not given.
    type: str
seealso:
  - module: prositronic.infra.llama_server_info
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask the server what it serves
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
  register: info

- name: Fail when it is not what was planned
  ansible.builtin.assert:
    that: plan | prositronic.infra.llama_server_differences(info.server) | length == 0
"""

RETURN = r"""
_value:
  description: One entry per difference. Empty when the server runs as planned.
  type: list
  elements: dict
  sample:
    - what: context per slot
      expected: 8192
      got: 2048
  contains:
    what:
      description: What differs.
      type: str
      sample: context per slot
    expected:
      description: What the plan says.
      type: raw
      sample: 8192
    got:
      description: What the server says.
      type: raw
      sample: 2048
"""


@plain_filter
def llama_server_differences(plan, info, **options):
    return differences(plan, info, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_server_differences": llama_server_differences}
