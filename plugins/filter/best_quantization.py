# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter best_quantization."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.quantization import best_quantization as best

DOCUMENTATION = r"""
name: best_quantization
short_description: The best of several quantizations of a model for a node
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Plans each of several models, as P(prositronic.infra.llama_plan#filter) does, and returns the best with its plan, and for every other why it is not.
  - The larger quantization is the more exact one. The best is therefore the largest that runs with everything on the GPUs (without a GPU, in RAM)
    and with the context asked for, or with at least 16384 tokens where none is asked for.
    If there is none, it is the largest that runs so with less context, where none is asked for,
    and if there is none either, the largest that runs with a part in RAM, unless O(allow_cpu=false).
  - Nothing is loaded and no GPU is needed.
options:
  _input:
    description: The models, each as returned by P(prositronic.infra.gguf#lookup) or M(prositronic.infra.gguf_info). Usually quantizations of one model.
    type: list
    elements: dict
    required: true
extends_documentation_fragment:
  - prositronic.infra.llama_wishes
  - prositronic.infra.llama_settings
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
  - plugin: prositronic.infra.gguf
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Which of these runs on a machine with an L4 and a context of 32768 tokens?
  ansible.builtin.debug:
    msg: "{{ best.reason }} {{ best.others | map(attribute='why_not') | join('. ') }}"
  vars:
    best: "{{ models | prositronic.infra.best_quantization(node, ctx_size=32768) }}"
    models: "{{ query('prositronic.infra.gguf', '/models/model-Q4_K_M.gguf', '/models/model-Q8_0.gguf') }}"
    node:
      devices:
        - vendor: nvidia
          name: NVIDIA L4
          memory_total_bytes: 24152899584
          memory_free_bytes: 23666360320
      host:
        memory_total_bytes: 68719476736
        memory_available_bytes: 64424509440

- name: Does this model run on this node's GPUs alone?
  ansible.builtin.debug:
    msg: "{{ ([model] | prositronic.infra.best_quantization(ansible_facts['gpu'], allow_cpu=false)).reason }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
"""

RETURN = r"""
_value:
  description: The choice.
  type: dict
  contains:
    fits:
      description: Whether any of the models can run.
      type: bool
    index:
      description: Which model it is, counted from 0 in the list as given. Null if none can run.
      type: int
      sample: 0
    name:
      description: Its name and quantization. Null if none can run.
      type: str
      sample: Llama-3.1-8B Q4_K_M
    quantization:
      description: Its quantization. Null if none can run.
      type: str
      sample: Q4_K_M
    reason:
      description: Why it is the best, or what the smallest lacks.
      type: str
    plan:
      description: Its plan, as P(prositronic.infra.llama_plan#filter) returns it. If none can run, that of the smallest, with what is missing.
      type: dict
    others:
      description: Every other model and why it is not the best.
      type: list
      elements: dict
      contains:
        index:
          description: Which model it is, counted from 0 in the list as given.
          type: int
        name:
          description: Its name and quantization.
          type: str
        size_bytes:
          description: The size of its tensors.
          type: int
        fits:
          description: Whether it can run.
          type: bool
        all_on_gpu:
          description: Whether everything would be on the GPUs.
          type: bool
        ctx_size:
          description: The context it would have.
          type: int
        why_not:
          description: Why it is not the best, with what is missing.
          type: str
"""


@plain_filter
def best_quantization(models, node, **wishes):
    return best(models, node, wishes)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"best_quantization": best_quantization}
