# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter gpu_facts_report."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.facts_report import facts_report

DOCUMENTATION = r"""
name: gpu_facts_report
short_description: What nodes have as a table for a person
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Shows a row for each GPU of each node, with its memory, what is free, the driver, the newest CUDA that it runs, the backend of llama.cpp that
    P(prositronic.infra.llama_plan#filter) would choose, the RAM, and the codes of problems; and below the table what these problems are.
  - A node that cannot be read has a row too, and the reason below.
options:
  _input:
    description:
      - By the name of each node its facts, as those of M(prositronic.infra.gpu_facts), those of P(prositronic.infra.kubernetes_gpu_facts#filter),
        or a description as P(prositronic.infra.llama_plan#filter) takes it. Of a node that could not be asked a dictionary with C(error), the reason.
    type: dict
    required: true
seealso:
  - module: prositronic.infra.gpu_facts
  - plugin: prositronic.infra.kubernetes_gpu_facts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: What this machine has, beside one that is not here
  ansible.builtin.debug:
    msg: "{{ nodes | prositronic.infra.gpu_facts_report }}"
  vars:
    nodes:
      here: "{{ ansible_facts['gpu'] }}"
      there:
        gpus:
          - model: nvidia-l4
            count: 2
        ram_bytes: 137438953472

- name: What the nodes of a cluster have
  ansible.builtin.debug:
    msg: "{{ nodes | prositronic.infra.kubernetes_gpu_facts | prositronic.infra.gpu_facts_report }}"
  vars:
    nodes: "{{ (lookup('ansible.builtin.file', '/tmp/nodes.json') | from_json)['items'] }}"
"""

RETURN = r"""
_value:
  description: The table, lines without a line end behind the last.
  type: str
"""


@plain_filter
def gpu_facts_report(nodes):
    return facts_report(nodes)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"gpu_facts_report": gpu_facts_report}
