# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_memory."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query

DOCUMENTATION = r"""
name: llama_memory
short_description: What llama.cpp allocates for a model with given settings
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Computes the buffers that llama.cpp allocates on each device and on the host, for exactly these settings, without loading anything.
  - Weights are those of the tensors in the model's header, the cache follows the architecture's own rule, and compute buffers are those that
    ggml would plan for the architecture's graph.
  - For an architecture that is not described, and for a combination that llama.cpp refuses, the filter fails rather than guess.
  - A setting that is not given has llama-server's own default.
options:
  _input:
    description: The model, as returned by P(prositronic.infra.gguf#lookup) or M(prositronic.infra.gguf_info).
    type: dict
    required: true
  devices:
    description: The GPUs in llama.cpp's order. Leave it out for a build without GPUs.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What llama.cpp calls the device. By default V(CUDA0), V(CUDA1) and so on.
        type: str
      free_bytes:
        description: The free memory. Without O(tensor_split) it decides how layers are shared out. Required, unless O(devices[].free_mib) is given.
        type: int
      free_mib:
        description: The free memory in MiB, in place of O(devices[].free_bytes).
        type: int
      events:
        description: Whether the backend overlaps copies with work, as those for NVIDIA and AMD do. Several such devices work as a pipeline.
        type: bool
        default: true
      chunk_bytes:
        description: The largest buffer that the backend hands out for results, V(1073741824) for Vulkan. Larger ones are cut, which takes more memory.
        type: int
      remote:
        description: Whether a C(ggml-rpc-server) on another machine has it. Such devices come first, in the order of C(--rpc).
        type: bool
        default: false
  ctx_size:
    description: The tokens of context of all slots together. By default those the model was trained with.
    type: int
  gpu_layers:
    description: The number of layers on the devices, from the last one (the output) backwards; V(all) for all of them.
    type: raw
    default: all
  tensor_split:
    description: How layers are shared out, one part for each device.
    type: list
    elements: float
  split_mode:
    description: Share out whole layers, or use O(main_gpu) alone.
    type: str
    choices: [layer, none]
    default: layer
  main_gpu:
    description: The device to use with O(split_mode=none).
    type: int
    default: 0
  n_cpu_moe:
    description: Keep the experts of that many blocks, from the first, on the host.
    type: int
    default: 0
  cpu_moe:
    description: Keep all experts on the host.
    type: bool
    default: false
  override_tensor:
    description: Tensors by regular expression and the buffer they go to, as C(regex=BUFFER); V(CPU) is the host.
    type: list
    elements: str
  no_host:
    description: Do not use pinned memory for what is on the host. It changes no size.
    type: bool
    default: false
  mtp:
    description: Load the blocks for next-token prediction, which are left out otherwise.
    type: str
    choices: [weights]
  spec_draft_n_max:
    description:
      - The tokens that a draft may predict, if one is used (next-token prediction, Eagle 3, DFlash).
        Recurrent blocks then keep as many earlier states of each slot.
    type: int
    default: 0
  outputs:
    description: Rows of logits to reserve. llama-server reserves one for each slot; V(batch) is what tools for benchmarks do.
    type: raw
extends_documentation_fragment:
  - prositronic.infra.llama_settings
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: How much does a model need with all experts in RAM?
  ansible.builtin.debug:
    msg: "{{ model | prositronic.infra.llama_memory(devices=[{'free_bytes': 23666360320}], ctx_size=32768, parallel=1, cpu_moe=true) }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
"""

RETURN = r"""
_value:
  description: The bytes of the buffers on each device and on the host.
  type: dict
  contains:
    devices:
      description: The devices, in the order given.
      type: list
      elements: dict
      contains:
        name:
          description: The name of the device.
          type: str
          sample: CUDA0
        weights_bytes:
          description: The tensors on it.
          type: int
          sample: 4617396480
        kv_bytes:
          description: The cache of the blocks on it.
          type: int
          sample: 4294967296
        compute_bytes:
          description: The compute buffer.
          type: int
          sample: 146800640
        total_bytes:
          description: All three together.
          type: int
          sample: 9059164416
    host:
      description:
        - The same for the host, and beside its total what llama.cpp's own totals leave out.
          C(output_bytes) (a row of logits for each output), C(vocabulary_bytes), and C(checkpoint_bytes), one context checkpoint of one slot,
          0 for a model that needs none.
      type: dict
"""


@plain_filter
def llama_memory(model, devices=None, **settings):
    return memory_query(model, devices or [], settings)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_memory": llama_memory}
