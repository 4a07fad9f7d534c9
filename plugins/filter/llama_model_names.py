# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_model_names."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.names import names

DOCUMENTATION = r"""
name: llama_model_names
short_description: Short names for several models
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Gives each of several models a name for tables, made from where it comes from. Names that are given are kept.
  - A name never has the user, the password or the query of an address.
options:
  _input:
    description:
      - Where the models come from, as P(prositronic.infra.gguf#lookup) takes it. One such string, a list of them,
        or a dictionary that has names for them already.
    type: raw
    required: true
seealso:
  - plugin: prositronic.infra.llama_plans
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Name two models
  ansible.builtin.debug:
    msg: "{{ ['/models/model.gguf', 'hf:org/repo:Q4_K_M'] | prositronic.infra.llama_model_names }}"
"""

RETURN = r"""
_value:
  description:
    - The sources by their names. A file's name has neither C(.gguf) nor the number of a shard. A model of the Hub has that of its repository and quantization.
    - Two of a list that would have the same name are named in full.
  type: dict
  sample: {model: /models/model.gguf, "repo:Q4_K_M": "hf:org/repo:Q4_K_M"}
"""


@plain_filter
def llama_model_names(models):
    return names(models)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_model_names": llama_model_names}
