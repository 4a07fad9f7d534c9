# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_plans."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.plans import plans

DOCUMENTATION = r"""
name: llama_plans
short_description: Plan several models for a node
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Plans each of several models alone on a node, as P(prositronic.infra.llama_plan#filter) does, to see which of them run there and how.
  - A model that can't be planned does not keep the others from being planned. In place of its plan there is the error.
  - To choose between quantizations of one model, there is P(prositronic.infra.best_quantization#filter).
options:
  _input:
    description:
      - By their names the models, each as returned by P(prositronic.infra.gguf#lookup) or M(prositronic.infra.gguf_info).
      - One that could not be read is a dictionary with C(error), as the lookup returns it with O(prositronic.infra.gguf#lookup:unreadable=value).
    type: dict
    required: true
  previous:
    description: The plan that the node runs already. It is kept for the model that it was made from. See P(prositronic.infra.llama_plan#filter).
    type: dict
extends_documentation_fragment:
  - prositronic.infra.llama_wishes
  - prositronic.infra.llama_settings
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
  - plugin: prositronic.infra.llama_plans_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which of these runs on this node, and how fast?
  ansible.builtin.debug:
    msg: "{{ {} | prositronic.infra.llama_plans_report(others={inventory_hostname: plans}) }}"
  vars:
    plans: "{{ models | prositronic.infra.llama_plans(ansible_facts['gpu'], ctx_size=8192) }}"
    models:
      small: "{{ lookup('prositronic.infra.gguf', '/models/small.gguf') }}"
      large: "{{ lookup('prositronic.infra.gguf', '/models/large.gguf', unreadable='value') }}"
"""

RETURN = r"""
_value:
  description: By the names of the models their plans, as P(prositronic.infra.llama_plan#filter) returns them, or a text that says why there is none.
  type: dict
"""


@plain_filter
def llama_plans(models, node, previous=None, **wishes):
    return plans(models, node, wishes, previous)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_plans": llama_plans}
