# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_plans_report."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.report import plans_report

DOCUMENTATION = r"""
name: llama_plans_report
short_description: The plans of many nodes side by side
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Shows what fits where, nodes by models, as text, Markdown, HTML or JSON. Each plan has where it runs, its layers, context, memory and speed.
  - A plan that does not fit says which memory lacks how much of which budget. A node without a plan is there too, with the reason.
  - The HTML page needs nothing but itself, no scripts and no files from elsewhere, and shows the memory of each device as a bar.
  - The same plans give the same report.
options:
  _input:
    description:
      - By the name of each node the plan that is deployed there, as returned by P(prositronic.infra.llama_plan#filter), or V(null) for none.
      - A node that is nowhere else either is shown as one of which nothing is known.
    type: dict
    required: true
  format:
    description:
      - V(text), V(markdown), V(html) or V(json), or the name of a file with an ending of V(.txt), V(.md), V(.html) or V(.json).
    type: str
    default: text
  others:
    description: By the name of each node the plans of further models, as returned by P(prositronic.infra.llama_plans#filter).
    type: dict
    default: {}
  errors:
    description: By the name of each node why its plan could not be made.
    type: dict
    default: {}
seealso:
  - plugin: prositronic.infra.llama_plans
    plugin_type: filter
  - plugin: prositronic.infra.llama_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: This node beside one that is not here
  ansible.builtin.debug:
    msg: "{{ plans | prositronic.infra.llama_plans_report }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    plans:
      here: "{{ model | prositronic.infra.llama_plan(ansible_facts['gpu']) }}"
      there: "{{ model | prositronic.infra.llama_plan({'gpus': [{'model': 'nvidia-l4'}], 'ram_bytes': 68719476736}) }}"

- name: Two models on a machine that is not here, as a page
  ansible.builtin.copy:
    content: "{{ {} | prositronic.infra.llama_plans_report('html', others={'there': plans}) }}\n"
    dest: /tmp/report.html
    mode: "0644"
  vars:
    plans: "{{ models | prositronic.infra.llama_plans({'gpus': [{'model': 'nvidia-l4'}], 'ram_bytes': 68719476736}) }}"
    models:
      small: "{{ lookup('prositronic.infra.gguf', '/models/small.gguf') }}"
      large: "{{ lookup('prositronic.infra.gguf', '/models/large.gguf') }}"
"""

RETURN = r"""
_value:
  description:
    - The report, without a line end behind the last line.
    - V(json) has C(schema), the version of its shape; C(models), their names; and C(nodes). Each node has C(name), C(gpus), C(memory_total_bytes),
      C(error) and its C(models). Each of these has C(name), C(deployed), C(verdict) (V(gpu), V(gpu+ram), V(cpu), V(no) or V(error)), C(error),
      and unless there is no plan C(model), C(backend), C(image), C(gpu_layers), C(layers_total), C(ctx_size), C(parallel), C(cache_type_k), C(cache_type_v),
      C(decode_tokens_per_second), C(prefill_tokens_per_second), C(memory), C(missing), C(would_help), C(warnings) and C(args).
    - Each of C(memory) has C(where), C(free_bytes), C(budget_bytes), C(used_bytes) and the parts of what is used. Each of C(missing) has C(where),
      C(missing_bytes) and C(budget_bytes).
  type: str
"""


@plain_filter
def llama_plans_report(plans, format="text", others=None, errors=None):
    return plans_report(plans, format, others, errors)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_plans_report": llama_plans_report}
