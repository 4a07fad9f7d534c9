# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_differences."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.differences import differences

DOCUMENTATION = r"""
name: llama_server_differences
short_description: What a running llama-server does otherwise than planned
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Compares a running server with the plan it was started from.
  - From what the server says over HTTP are compared the number of slots, the context of one slot, the model's path, its number of weights, the build and,
    with O(alias), its name.
  - From its log (RV(prositronic.infra.llama_server_info#module:server.log)) are compared the layers on GPUs, which GPUs hold something, the buffers on each
    and in RAM, flash attention and the type of the KV cache.
  - From its processes (RV(prositronic.infra.llama_server_info#module:server.process)) is compared what they hold on each GPU and in RAM.
  - What can't be compared is named in RV(_value.not_checked) with the reason. The collection's docs/verify.md has the tolerances.
  - A server reports the context of B(one slot). With a unified cache that is the plan's whole context, without it the plan's context
    divided by the slots; llama.cpp rounds it up to a multiple of 256 and never goes beyond what the model was trained with.
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
  build:
    description:
      - The number of the build that should run, such as C(llama_cpp.image_build) of the plan where the server runs in the plan's image.
      - Without it any build will do that is not older than C(llama_cpp.minimum_build).
    type: int
  facts:
    description:
      - The facts of the node, C(ansible_facts['gpu']) as M(prositronic.infra.gpu_facts) gathers them.
      - With them more causes can be named, such as a missing CDI specification, and a GPU can be told from another of its kind.
    type: dict
seealso:
  - module: prositronic.infra.llama_server_info
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask the server what it serves
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    log_file: /var/log/llama-server.log
  register: info

- name: Compare it with the plan
  ansible.builtin.set_fact:
    verdict: "{{ plan | prositronic.infra.llama_server_differences(info.server, facts=ansible_facts['gpu']) }}"

- name: Show what could not be compared
  ansible.builtin.debug:
    msg: "{{ verdict.not_checked }}"

- name: Fail when it is not what was planned
  ansible.builtin.assert:
    that: verdict.agrees
    fail_msg: "{{ verdict.differences | map(attribute='message') | join('; ') }}"
"""

RETURN = r"""
_value:
  description: The outcome of the comparison.
  type: dict
  contains:
    agrees:
      description: Whether nothing differs of what was compared. RV(_value.not_checked) says what was not.
      type: bool
      sample: false
    differences:
      description: One entry per difference. Empty when the server runs as planned.
      type: list
      elements: dict
      contains:
        what:
          description: What differs.
          type: str
          sample: layers on GPUs
        expected:
          description: What the plan says. Sizes are in bytes.
          type: raw
          sample: 33
        got:
          description: What was found.
          type: raw
          sample: 0
        cause:
          description: Why, where the log or O(facts) tell; else V(null).
          type: str
          sample: "the server loaded the backend CPU but not CUDA: it is a build without it, or the driver's libraries are not there for it,
            as in a container that was not given the GPU; the node has no CDI specification of its GPUs"
        message:
          description: All of it in one sentence for a person.
          type: str
          sample: "layers on GPUs: planned 33, found 0"
    checked:
      description: What was compared.
      type: list
      elements: str
      sample: [slots, context per slot, model path, parameters, build]
    not_checked:
      description: What was not compared, as C(what) and C(why).
      type: list
      elements: dict
      sample: [{what: layers on GPUs, why: "the server logs too little (--log-verbosity 3): start it with --log-verbosity 4"}]
"""


@plain_filter
def llama_server_differences(plan, info, **options):
    return differences(plan, info, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_server_differences": llama_server_differences}
