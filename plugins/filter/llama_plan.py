# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_plan."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

DOCUMENTATION = r"""
name: llama_plan
short_description: Plan how llama-server runs a model on a node
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Decides the context and which layers go to which GPU, from the sizes of what llama.cpp will allocate, and says why.
  - The objective, in this order, is the context asked for, all layers on the GPUs, and as much context as then fits.
    Where not everything fits, the experts of as few blocks as possible stay in RAM, or, of a model without experts, as few layers as possible.
  - Nothing is loaded and no GPU is needed. The node may be one that is not there, described by hand.
  - A plan that does not fit is returned as well, with RV(_value.fits) false and what is missing in RV(_value.reasons).
options:
  _input:
    description: The model, as returned by P(prositronic.infra.gguf#lookup) or M(prositronic.infra.gguf_info).
    type: dict
    required: true
  node:
    description:
      - What the node has, in the shape of the facts of M(prositronic.infra.gpu_facts), or described in a few words.
      - A description has C(gpus), a list of dictionaries with C(model), an id of the table in C(docs/gpus.md) such as V(nvidia-l4), and C(count)
        (V(1) to V(64)), and C(ram_bytes). A C(memory_total_bytes), C(memory_free_bytes), C(memory_bandwidth_bytes_per_second), C(matrix_flops)
        (dense FP16 operations per second) or C(pcie_bytes_per_second) of an entry takes the place of the table's.
        Instead of C(ram_bytes) there may be C(ram), with C(bytes), C(available_bytes) and, for the bandwidth, C(type) (such as V(ddr5-4800)) and C(channels)
        (of 64 bits), or C(bandwidth_bytes_per_second); C(ram_bandwidth_bytes_per_second) beside C(ram_bytes) is the same.
        C(cuda_max) is the newest CUDA that the driver runs, such as V("13.0"), C(cpu_flops) the operations per second of the processor,
        C(name) the node's name.
      - A machine whose GPU shares the RAM (Apple, Jetson, GB10, Strix Halo) has one memory, the size of which is C(ram_bytes) or C(memory_total_bytes).
      - For facts written by hand, C(devices) (each with C(vendor), C(name), C(memory_total_bytes) and C(memory_free_bytes)) and C(host)
        (with C(memory_total_bytes) and C(memory_available_bytes)) are enough.
      - What facts of a GPU don't tell, its bandwidth for one, comes from the table where its driver's name is in it; facts count more.
    type: dict
    required: true
  node_name:
    description: The name of the node in the plan and the report.
    type: str
    default: node
  previous:
    description:
      - The plan that the node runs already. It is returned unchanged where the model, the node's hardware and the wishes are those it was made from.
        A server that runs holds memory, and a plan for what it leaves free would be another one.
    type: dict
  ctx_size:
    description:
      - The number of tokens of context. By default as many as fit, up to those the model was trained with.
      - With one cache per slot (O(kv_unified=false)) it is divided by O(parallel).
    type: int
  gpu_layers:
    description: The number of layers on the GPUs, V(all), or V(auto) for as many as fit.
    type: raw
    default: auto
  backend:
    description: V(cpu) plans for a build of llama.cpp without GPUs, whatever the node has; V(auto) for one that uses its GPUs.
    type: str
    choices: [auto, cpu]
    default: auto
  reserve_bytes:
    description: The bytes to leave free on each GPU, for the context of the driver and for other programs.
    type: int
    default: 1073741824
  ram_reserve_bytes:
    description: The bytes of available RAM to leave free.
    type: int
    default: 2147483648
extends_documentation_fragment:
  - prositronic.infra.llama_settings
seealso:
  - plugin: prositronic.infra.llama_memory
    plugin_type: filter
  - plugin: prositronic.infra.llama_server_args
    plugin_type: filter
  - plugin: prositronic.infra.llama_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Plan a model on this node
  ansible.builtin.set_fact:
    plan: "{{ model | prositronic.infra.llama_plan(ansible_facts['gpu']) }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"

- name: Plan a model on a machine that is not here, with a context of 16384 tokens and a quantized cache
  ansible.builtin.debug:
    msg: "{{ model | prositronic.infra.llama_plan(node, ctx_size=16384, cache_type_k='q8_0', cache_type_v='q8_0') }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    node:
      devices:
        - vendor: nvidia
          name: NVIDIA L4
          memory_total_bytes: 24152899584
          memory_free_bytes: 23666360320
      host:
        memory_total_bytes: 68719476736
        memory_available_bytes: 64424509440

- name: Plan a model on a server that is not bought yet
  ansible.builtin.debug:
    msg: "{{ model | prositronic.infra.llama_plan(node, ctx_size=16384) | prositronic.infra.llama_report }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    node:
      gpus:
        - model: nvidia-l4
          count: 2
      ram:
        bytes: 549755813888
        type: ddr5-4800
        channels: 12
"""

RETURN = r"""
_value:
  description: The plan. Bytes are whole numbers.
  type: dict
  contains:
    schema:
      description: The version of this shape.
      type: int
      sample: 1
    inputs:
      description: A digest of what the plan was made from, without the free memory.
      type: str
    llama_cpp:
      description: The build of llama.cpp whose memory rules the plan follows.
      type: dict
      sample: {commit: 0c1e57098, ggml: 0.25.3}
    model:
      description: The model's name, architecture, quantization, parameters, size, source and files.
      type: dict
    node:
      description: The node's name, RAM and GPUs. C(device) is what llama.cpp calls a GPU.
      type: dict
    fits:
      description: Whether the model can run as planned.
      type: bool
    placement:
      description:
        - Of C(layers_total) layers (the blocks and the output) C(gpu_layers) are on GPUs, C(layers_per_gpu) on each.
          The experts of the first C(n_cpu_moe) blocks are in RAM, but for the tensors that C(override_tensor) puts on a GPU.
      type: dict
      sample: {gpu_layers: 33, layers_total: 33, layers_per_gpu: [33], n_cpu_moe: 0, override_tensor: [], split_mode: layer}
    context:
      description: The context in tokens (of all slots together), the number of slots and the types of the cache.
      type: dict
      sample: {ctx_size: 20992, n_ctx_train: 131072, parallel: 4, kv_unified: true, cache_type_k: f16, cache_type_v: f16}
    memory:
      description:
        - For each GPU and the host the bytes of weights, KV cache and compute buffers, their total, what is free and what is kept in reserve.
        - C(host.cache_ram_bytes) is what the prompt cache may grow to.
      type: dict
    backend:
      description: The build of llama.cpp for the node's GPUs.
      type: str
      sample: cuda12
    image:
      description: The container image of that build, at its moving tag; V(null) for Metal, which no container has.
      type: str
      sample: ghcr.io/ggml-org/llama.cpp:server-cuda
    throughput:
      description:
        - Under C(decode), the bytes that one generated token reads from each memory, and the tokens per second they allow at most.
          The rate is null unless the bandwidth of each memory in use is known.
      type: dict
    server:
      description: The arguments that the plan decides, and the environment. P(prositronic.infra.llama_server_args#filter) gives the whole list.
      type: dict
    reasons:
      description: Why the plan is as it is, in sentences.
      type: list
      elements: str
    warnings:
      description: What should be known before it is used.
      type: list
      elements: str
"""


@plain_filter
def llama_plan(model, node, previous=None, **wishes):
    return plan(model, node, wishes, previous)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_plan": llama_plan}
