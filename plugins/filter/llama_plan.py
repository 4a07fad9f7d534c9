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
  - Chooses together the context, the type of the KV cache, the size of batches, whether a GPU works on prompts with weights in RAM,
    which layers and experts go to which GPU, and how weights are loaded, from the sizes of what llama.cpp will allocate.
    It says why, what it did not choose, and what would help.
  - What is given is kept, and the rest is planned around it.
  - The objective, in this order, is the context asked for; everything on the GPUs; a request that is done sooner; and as much more context as then fits.
    Where not everything fits, the experts of as few blocks as possible stay in RAM, or, of a model without experts, as few layers as possible.
  - Nothing is loaded and no GPU is needed. The node may be one that is not there, described by hand.
  - A plan that does not fit is returned as well, with RV(_value.fits) false and what is missing in RV(_value.reasons).
options:
  _input:
    description: The model, as returned by P(prositronic.infra.gguf#lookup) or M(prositronic.infra.gguf_info).
    type: dict
    required: true
  previous:
    description:
      - The plan that the node runs already. It is returned unchanged where the model, the node's hardware and the wishes are those it was made from.
        A server that runs holds memory, and a plan for what it leaves free would be another one.
    type: dict
  measured:
    description:
      - What was measured of a server on this host, as returned by P(prositronic.infra.llama_server_measured#filter) and kept. It is shown in
        RV(_value.throughput) beside what is expected, and by P(prositronic.infra.llama_report#filter). The plan is the same with and without it.
      - One of another model or backend is not shown; RV(_value.throughput) says so.
    type: dict
extends_documentation_fragment:
  - prositronic.infra.llama_wishes
  - prositronic.infra.llama_settings
seealso:
  - plugin: prositronic.infra.llama_memory
    plugin_type: filter
  - plugin: prositronic.infra.best_quantization
    plugin_type: filter
  - plugin: prositronic.infra.llama_server_args
    plugin_type: filter
  - plugin: prositronic.infra.llama_report
    plugin_type: filter
  - plugin: prositronic.infra.llama_server_measured
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Plan a model on this node
  ansible.builtin.set_fact:
    plan: "{{ model | prositronic.infra.llama_plan(ansible_facts['gpu']) }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"

- name: At least 8192 tokens, at most 20 GiB of the GPU, and nothing in RAM
  ansible.builtin.debug:
    msg: "{{ (model | prositronic.infra.llama_plan(node, ctx_size={'min': 8192}, budget_bytes=21474836480, allow_cpu=false)).would_help }}"
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

- name: Use GPUs of two vendors together, and images from a mirror
  ansible.builtin.debug:
    msg: "{{ (model | prositronic.infra.llama_plan(node, backend='vulkan', image_repository='registry.example.com/llama.cpp')).image }}"
  vars:
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    node:
      gpus:
        - model: nvidia-rtx-4090
        - model: amd-rx-7900-xtx
      ram_bytes: 68719476736

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
      sample: 2
    inputs:
      description: A digest of what the plan was made from, without the free memory.
      type: str
    llama_cpp:
      description:
        - The C(commit) and C(build) of llama.cpp whose memory rules the plan follows, and the C(image_build), V(null) for an image of one's own.
        - C(minimum_build) is the least that has no hole that is known and that the plan's flags open. Each of C(minimum_build_reasons) has
          the C(build) that closed it, the C(flag) that opens it (V(null) for any server), C(name), C(what) and C(source).
      type: dict
      sample: {commit: 0c1e57098, build: 11312, ggml: 0.25.3, image_build: 11312, minimum_build: 10436, minimum_build_reasons: []}
    model:
      description: The model's name, architecture, quantization, parameters, size, source and files.
      type: dict
    node:
      description: The node's name, RAM and GPUs. C(device) is what llama.cpp calls a GPU.
      type: dict
    objective:
      description: What was preferred, and in words what the plan is after.
      type: dict
      sample: {prefer: decode}
    fits:
      description: Whether the model can run as planned.
      type: bool
    placement:
      description:
        - Of C(layers_total) layers (the blocks and the output) C(gpu_layers) are on GPUs, C(layers_per_gpu) on each.
          The experts of the first C(n_cpu_moe) blocks are in RAM, but for the tensors that C(override_tensor) puts on a GPU.
          C(blocks_partly_in_ram) counts the blocks on GPUs of which experts or feed-forward parts stay in RAM. C(tensor_split) is null unless it was fixed
          or layers are shared out by it.
      type: dict
      sample: {gpu_layers: 33, layers_total: 33, layers_per_gpu: [33], all_on_gpu: true, blocks_partly_in_ram: 0, n_cpu_moe: 0, override_tensor: [],
        split_mode: layer, main_gpu: 0, tensor_split: null}
    context:
      description: The context in tokens (of all slots together), whether one was asked for, the number of slots, of context checkpoints for each
        slot, and the types of the cache.
      type: dict
      sample: {ctx_size: 20992, asked: false, n_ctx_train: 131072, parallel: 4, kv_unified: true, ctx_checkpoints: 32, cache_type_k: f16, cache_type_v: f16}
    compute:
      description: The sizes of batches, flash attention, what is offloaded, and how weights are loaded.
      type: dict
      sample: {batch_size: 2048, ubatch_size: 512, flash_attn: true, op_offload: true, kv_offload: true, load_mode: auto}
    memory:
      description:
        - For each GPU and the host the bytes of weights, KV cache and compute buffers, their total, what is free and what is kept in reserve.
          C(overhead_bytes) is what the driver and its libraries are expected to take outside these buffers; the reserve is there for it.
        - The host's total is that of its three buffers. Beside it there are C(output_bytes) (a row of logits for each slot), C(vocabulary_bytes),
          C(process_bytes) (the program and what drivers map into it, an estimate), C(loading_bytes) (only while weights are loaded),
          C(checkpoint_bytes) (one context checkpoint; 0 for a model that needs none), C(checkpoints_bytes) and C(cache_ram_bytes), which are
          what all context checkpoints and the prompt cache may grow to.
        - C(host.min_ram_bytes) let the server start. With C(host.recommended_ram_bytes) it runs without paging, however long it runs, which makes it
          the limit for a container. Weights that are mapped count for the second only.
      type: dict
      sample: {devices: [], host: {weights_bytes: 4920733696, kv_bytes: 17179869184, compute_bytes: 255852544, total_bytes: 22356455424,
        output_bytes: 2052096, vocabulary_bytes: 73875456, process_bytes: 268435456, loading_bytes: 0, checkpoint_bytes: 0, checkpoints_bytes: 0,
        cache_ram_bytes: 8589934592, min_ram_bytes: 22403711184, recommended_ram_bytes: 31290753024, available_bytes: 34359738368,
        reserve_bytes: 2147483648}}
    backend:
      description: The build of llama.cpp for the node's GPUs; RV(_value.reasons) says why this one.
      type: str
      sample: cuda12
    image:
      description: The container image of that build; V(null) where there is none, for Metal and for some machines, and RV(_value.reasons) says why.
      type: str
      sample: ghcr.io/ggml-org/llama.cpp:server-cuda-b11312
    throughput:
      description:
        - How fast it is expected to be for one request, and what limits it. The collection's docs/speed.md says what is modelled,
          and compares with measurements.
        - C(decode) is for a generated token with half of the context in use, C(prefill) for a prompt in batches of C(batch_tokens).
          C(tokens_per_second_at_most) is what memory, bus and arithmetic of the hardware allow, null where one of them is assumed.
          C(tokens_per_second_expected) is what llama.cpp is expected to reach, between C(tokens_per_second_low) and C(tokens_per_second_high).
          C(bound_by) is what most of the time goes to, as C(seconds_per_token) and C(seconds_per_batch) have it - the memory or the arithmetic (C(compute)) of
          a device, V(RAM), V(CPU compute), V(PCIe), or V(latency), which is starting kernels and waiting.
        - C(without_gpus) is the same by the CPU alone, if its C(ram_bytes) are there; null without GPUs, or where the bandwidth of the RAM is not known.
        - C(assumed) has the rates that the node doesn't tell and the figures taken for them. C(notes) says in sentences what follows,
          such as where a GPU does not make generating faster.
        - C(measured) is only there with O(measured). It has the measured C(decode) and C(prefill), the C(build), whether it was with the C(same_settings),
          and whether it C(applies) to this model and backend; if not, C(why_not).
      type: dict
      sample:
        decode: {tokens_per_second_at_most: 12.9, tokens_per_second_expected: 9.41, tokens_per_second_low: 6.59, tokens_per_second_high: 12.2,
          bound_by: CUDA0 memory, bytes_per_token: {CUDA0: 11318000000, RAM: 12130000000},
          seconds_per_token: {CUDA0 memory: 0.047, RAM: 0.044, latency: 0.015},
          context_tokens: 16384}
        prefill: {tokens_per_second_at_most: 166.0, tokens_per_second_expected: 56.4, tokens_per_second_low: 28.2, tokens_per_second_high: 96.0,
          bound_by: PCIe, seconds_per_batch: {PCIe: 30.7, CUDA0 compute: 5.5}, batch_tokens: 2048}
        without_gpus: {decode_tokens_per_second_expected: 11.2, prefill_tokens_per_second_expected: 20.8, ram_bytes: 406800000000,
          assumed: {cpu_flops: 5529600000000}}
        assumed: {}
        notes: []
    missing:
      description:
        - Under C(to_run) and C(for_all_on_gpu), what is missing for each, as a list of C(where) and C(missing_bytes).
        - Of a model that can't run, C(largest_quantization) has the C(name) of the largest quantization that would, and about the C(size_bytes) of its file;
          it is null where the model runs, or where none would.
      type: dict
    would_help:
      description: What would make it fit, or put more on the GPUs, in sentences.
      type: list
      elements: str
    alternatives:
      description: What was not chosen. The C(settings), what they would give, and C(why_not).
      type: list
      elements: dict
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
def llama_plan(model, node, previous=None, measured=None, **wishes):
    return plan(model, node, wishes, previous, measured)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_plan": llama_plan}
