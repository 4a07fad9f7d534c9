# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_multi_node_plan."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.plan import multi_node_plan

DOCUMENTATION = r"""
name: llama_multi_node_plan
short_description: Plan how several nodes run a model that none of them holds
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Plans llama.cpp's RPC. One node, the head, runs C(llama-server); on the others, the workers, C(ggml-rpc-server) gives it their devices.
    Of the nodes the fewest are taken that hold the model, each with consecutive layers and their cache.
  - The plan is that of P(prositronic.infra.llama_plan#filter) for a head that has the workers' devices too, so that the same filters take it.
    What is said of the nodes and the network is under RV(_value.multi_node).
  - It says whether that is worth it, and what one node could do alone, with part of the model in its RAM or with a smaller quantization.
  - A device of a worker is its GPUs, or, where it has none to use, its CPU with its RAM. The head's own RAM holds no layers.
  - A model that all nodes together do not hold is an error, which says how much is missing.
  - RPC has neither authentication nor encryption. Read RV(_value.multi_node.warnings) and the collection's docs/multi_node.md before using it.
options:
  _input:
    description: The model, as returned by P(prositronic.infra.gguf#lookup) or M(prositronic.infra.gguf_info).
    type: dict
    required: true
  nodes:
    description:
      - What each node has, by its name, two nodes at least. Each in the shape of the facts of M(prositronic.infra.gpu_facts), or described
        in a few words as P(prositronic.infra.llama_plan#filter) takes it.
    type: dict
    required: true
  link_bytes_per_second:
    description: The bytes per second that the head's network interface carries in one direction, as C(iperf3) measures it. 10 Gbit/s are 1250000000 at most.
    type: float
    required: true
  round_trip_seconds:
    description: The seconds until a small message between two nodes is answered, as C(ping) measures it; 0.0002 is usual within a rack.
    type: float
    required: true
  head:
    description: The name of the node that is the head. By default the one with which a request is done soonest.
    type: str
  worker_cache:
    description:
      - Let workers keep tensors of more than 10 MiB on their disks (in C(LLAMA_CACHE)), so that only the first start sends them through the network.
        RV(_value.multi_node.workers[].cache_bytes) have to be free there.
    type: bool
    default: false
  previous:
    description:
      - The plan that is in use. It is returned unchanged where model, nodes, network and wishes are those it was made from,
        since servers that run hold the memory that a new plan would find taken.
    type: dict
  ctx_size:
    description:
      - The number of tokens of context, or a dictionary with C(min) and C(max), of which one may be left out.
      - By default as many as fit, up to those the model was trained with, and not below 4096.
      - With one cache per slot (O(kv_unified=false)) it is divided by O(parallel).
    type: raw
  prefer:
    description: For which requests the head is chosen, as in P(prositronic.infra.llama_plan#filter). With V(prefill) batches are larger.
    type: str
    choices: [decode, prefill, context]
    default: decode
  cache_types:
    description: The types that the KV cache may have, the preferred first. Not with O(cache_type_k) or O(cache_type_v), which fix the type.
    type: list
    elements: str
    default: [f16, q8_0]
  devices:
    description:
      - The GPUs to use, by uuid. By default all that O(backend) drives, of MIG instances one for each node.
      - A node with none of these works with its CPU.
    type: list
    elements: str
  backend:
    description:
      - The build of llama.cpp for every node. V(auto) chooses for each by its GPUs.
      - Builds for different GPUs work together if they are of one version.
    type: str
    choices: [auto, cuda13, cuda12, rocm, vulkan, sycl, metal, cpu]
    default: auto
  image:
    description: A container image that has C(llama-server) with RPC, and C(ggml-rpc-server). llama.cpp's own images have neither.
    type: str
  reserve_bytes:
    description:
      - The bytes to leave free on each GPU, for the context of the driver and for other programs.
      - The default is 536870912 more where O(backend) is V(vulkan).
    type: int
    default: 1073741824
  budget_bytes:
    description: The most bytes to use of each GPU, in place of what is free less the reserve.
    type: int
  ram_reserve_bytes:
    description: The bytes of available RAM to leave free on each node, beside what the server itself takes.
    type: int
    default: 2147483648
  ram_budget_bytes:
    description: The most bytes of RAM to use on each node, in place of what is available less the reserve.
    type: int
  load_mode:
    description: How the head reads the weights.
    type: str
    choices: [auto, none, mmap, mlock, mmap+mlock, dio]
extends_documentation_fragment:
  - prositronic.infra.llama_settings
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
  - plugin: prositronic.infra.llama_server_args
    plugin_type: filter
  - plugin: prositronic.infra.llama_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Plan a model on two nodes with a GPU each
  ansible.builtin.debug:
    msg: "{{ plan | prositronic.infra.llama_report }}"
  vars:
    plan: "{{ model | prositronic.infra.llama_multi_node_plan(nodes, link_bytes_per_second=1250000000, round_trip_seconds=0.0002, ctx_size=16384) }}"
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    nodes:
      gpu1:
        gpus: [{model: nvidia-rtx-3060}]
        ram_bytes: 34359738368
      gpu2:
        gpus: [{model: nvidia-rtx-3060}]
        ram_bytes: 34359738368

- name: Whether it is worth it, and what one node would do alone
  ansible.builtin.debug:
    msg: "{{ plan.multi_node | dict2items | selectattr('key', 'in', ['worth_it', 'alternatives', 'reasons']) | items2dict }}"
  vars:
    plan: "{{ model | prositronic.infra.llama_multi_node_plan(nodes, link_bytes_per_second=118000000, round_trip_seconds=0.0003, head='with_gpu') }}"
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    nodes:
      with_gpu:
        gpus: [{model: nvidia-l4}]
        ram_bytes: 68719476736
      without_gpu:
        ram: {bytes: 68719476736, type: ddr5-4800, channels: 8}

- name: The arguments of the head, and of each worker
  ansible.builtin.debug:
    msg:
      head: "{{ plan | prositronic.infra.llama_server_args(model='/models/large.gguf') + ['--rpc', workers | join(',')] }}"
      workers: "{{ plan.multi_node.workers | map(attribute='args') | list }}"
  vars:
    plan: "{{ model | prositronic.infra.llama_multi_node_plan(nodes, link_bytes_per_second=1250000000, round_trip_seconds=0.0002, worker_cache=true) }}"
    workers: "{{ plan.multi_node.workers | sort(attribute='endpoint_index') | map(attribute='node') | map('regex_replace', '$', '.internal:50052') | list }}"
    model: "{{ lookup('prositronic.infra.gguf', '/models/model.gguf') }}"
    nodes:
      gpu1:
        gpus: [{model: nvidia-l4, count: 2}]
        ram_bytes: 137438953472
      gpu2:
        gpus: [{model: nvidia-l4, count: 2}]
        ram_bytes: 137438953472
"""

RETURN = r"""
_value:
  description:
    - The plan, with all that P(prositronic.infra.llama_plan#filter) returns, for the head.
    - Devices are in llama.cpp's order, those of the workers first. Each of C(node.gpus) and C(memory.devices) has the name of its C(node) too.
      C(memory.host), C(server), C(backend) and C(image) are the head's. C(server.args) lacks C(--rpc), for the plan knows no addresses.
  type: dict
  contains:
    multi_node:
      description: The nodes and the network.
      type: dict
      contains:
        head:
          description: The name of the node that runs C(llama-server).
          type: str
        workers:
          description: The other nodes, in the order in which C(--rpc) has to name them.
          type: list
          elements: dict
          contains:
            node:
              description: The worker's name.
              type: str
              sample: gpu2
            endpoint_index:
              description: Its place in C(--rpc), from 0 on.
              type: int
            backend:
              description: The build of llama.cpp for it.
              type: str
              sample: cuda12
            devices:
              description:
                - Its devices, by the C(name) that the worker has for each and the C(rpc_name) that the head has, with C(gpu), C(uuid), C(memory_free_bytes),
                  the number of C(layers), and the bytes on each as below.
              type: list
              elements: dict
              sample: [{name: CUDA0, rpc_name: RPC0, gpu: NVIDIA L40S, uuid: null, memory_free_bytes: 47779414016, layers: 24, weights_bytes: 35436466304,
                kv_bytes: 1610612736, compute_bytes: 163840000, used_bytes: 37210919040, overhead_bytes: 643825664}]
            layers:
              description: The number of layers on it.
              type: int
            weights_bytes:
              description: The bytes of their weights.
              type: int
            kv_bytes:
              description: The bytes of their cache.
              type: int
            compute_bytes:
              description: The bytes of the compute buffers.
              type: int
            used_bytes:
              description: All three together.
              type: int
            overhead_bytes:
              description: What the driver and its libraries take on the devices beside them.
              type: int
            min_ram_bytes:
              description: The RAM that C(ggml-rpc-server) needs. It holds one tensor at a time on its way to a device. Devices that are RAM count whole.
              type: int
            cache_bytes:
              description: The bytes of its disk that O(worker_cache) needs, 0 without.
              type: int
            args:
              description: The arguments of C(ggml-rpc-server) beside C(--host) and C(--port).
              type: list
              elements: str
              sample: [--device, CUDA0]
            env:
              description: Its environment.
              type: dict
              sample: {CUDA_DEVICE_ORDER: PCI_BUS_ID}
        wire:
          description:
            - What goes over the network for a generated token with half of the context in use, and for a micro-batch of a prompt, from what llama.cpp
              copies between devices. The mask is part of it, so both grow with the context.
            - C(boundaries) counts where the layers go on on another node, C(round_trips_per_token) the answers that a token waits for.
              C(seconds_per_token) and C(seconds_per_ubatch) are part of C(throughput), as V(network).
            - C(load_bytes) and C(load_seconds) are for the weights of the workers, all of which come through the head.
          type: dict
          sample: {bytes_per_token: 144916, bytes_per_ubatch: 18884608, boundaries: 1, round_trips_per_token: 1, seconds_per_token: 0.00232,
            seconds_per_ubatch: 0.0173, load_bytes: 35436466304, load_seconds: 28.3}
        worth_it:
          description: Whether tokens are generated faster than by the best of the nodes alone, for the same context. True where none holds the model alone.
          type: bool
        alternatives:
          description:
            - What one node could do alone. The model itself, with part of it in RAM, and the largest quantization that is wholly on the GPUs of one,
              for each of the two that is possible. C(what) says it in words.
          type: list
          elements: dict
          sample: [{node: gpu1, what: "gpu1 alone, part of it in its RAM", quantization: null, size_bytes: null, ctx_size: 16640,
            decode_tokens_per_second_expected: 15.9, prefill_tokens_per_second_expected: 1150.0}]
        warnings:
          description: What should be known before it is used. They are among C(warnings) too.
          type: list
          elements: str
        reasons:
          description: Why these nodes, and what the network costs. They are among C(reasons) too.
          type: list
          elements: str
"""


@plain_filter
def llama_multi_node_plan(model, nodes, link_bytes_per_second=None, round_trip_seconds=None, head=None, worker_cache=None, previous=None, **wishes):
    return multi_node_plan(model, nodes, wishes, link_bytes_per_second, round_trip_seconds, head, worker_cache, previous)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_multi_node_plan": llama_multi_node_plan}
