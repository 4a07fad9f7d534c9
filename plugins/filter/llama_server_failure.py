# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_failure."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.failure import failure

DOCUMENTATION = r"""
name: llama_server_failure
short_description: Why a planned llama-server did not start
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - The reason that the log of a server gives, together with what the plan and the facts of the node add to it, in one sentence.
  - M(prositronic.infra.llama_server_info) fails with the reason of the log alone. The plan knows how much memory was to be free and which image it was,
    the facts which driver the node has.
positional: log
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  log:
    description: RV(prositronic.infra.llama_server_info#module:log), as M(prositronic.infra.llama_server_info) returns it when it fails.
    type: dict
    required: true
  facts:
    description: The facts of the node, C(ansible_facts['gpu']) as M(prositronic.infra.gpu_facts) gathers them.
    type: dict
seealso:
  - module: prositronic.infra.llama_server_info
  - plugin: prositronic.infra.llama_server_differences
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Wait for a server
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    wait: 600
    log_file: /var/log/llama-server.log
  register: info
  ignore_errors: true

- name: Say why it does not come
  ansible.builtin.debug:
    msg: "{{ plan | prositronic.infra.llama_server_failure(info.log, facts=ansible_facts['gpu']) }}"
  when: info is failed
"""

RETURN = r"""
_value:
  description: The sentence, without a full stop.
  type: str
  sample: "GPU 0 has too little memory free for a buffer of 17946.08 MiB; when the server started, 3.9 GiB were free on CUDA0,
    and the plan counted on 21.9 GiB: other programs hold the rest"
"""


@plain_filter
def llama_server_failure(plan, log, **options):
    return failure(plan, log, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_server_failure": llama_server_failure}
