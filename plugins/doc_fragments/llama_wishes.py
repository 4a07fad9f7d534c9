# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation shared by the filters that plan."""

from __future__ import annotations


class ModuleDocFragment:
    """What the plan is made for: the node and the wishes beside settings of llama-server."""

    DOCUMENTATION = r"""
options:
  node:
    description:
      - What the node has, in the shape of the facts of M(prositronic.infra.gpu_facts), or described in a few words.
      - A description has C(gpus), a list of dictionaries with C(model), an id of the table in C(docs/gpus.md) such as V(nvidia-l4), and C(count)
        (V(1) to V(64)), and C(ram_bytes). A C(memory_total_bytes), C(memory_free_bytes), C(memory_bandwidth_bytes_per_second), C(matrix_flops)
        (dense FP16 operations per second) or C(pcie_bytes_per_second) of an entry takes the place of the table's.
        Instead of C(ram_bytes) there may be C(ram), with C(bytes), C(available_bytes) and, for the bandwidth, C(type) (such as V(ddr5-4800)) and C(channels)
        (of 64 bits), or C(bandwidth_bytes_per_second); C(ram_bandwidth_bytes_per_second) beside C(ram_bytes) is the same.
        C(cuda_max) is the newest CUDA that the driver runs, such as V("13.4"), C(cpu_flops) the operations per second of the processor,
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
  ctx_size:
    description:
      - The number of tokens of context, or a dictionary with C(min) and C(max), of which one may be left out.
      - By default as many as fit, up to those the model was trained with, and not below 4096. Where something has to stay in RAM,
        the placement is made for C(min), by default for 16384, and as much more as then fits with nothing moved.
      - With one cache per slot (O(kv_unified=false)) it is divided by O(parallel).
    type: raw
  prefer:
    description:
      - What the plan is after where not everything fits.
      - V(decode) shortens a request of 2048 tokens with 1024 generated ones, V(prefill) one of 16384 tokens with 256 generated ones.
      - V(context) first holds the most context that O(ctx_size) allows, then does as V(decode).
    type: str
    choices: [decode, prefill, context]
    default: decode
  cache_types:
    description:
      - The types that the KV cache may have, the preferred first. Another one is chosen where it puts everything on the GPUs,
        makes the context asked for fit, or shortens a request by at least 5 %.
      - Not with O(cache_type_k) or O(cache_type_v), which fix the type.
    type: list
    elements: str
    default: [f16, q8_0]
  gpu_layers:
    description: The number of layers on the GPUs, V(all), or V(auto) for as many as fit.
    type: raw
    default: auto
  allow_cpu:
    description: Whether anything but the input may stay in RAM. If not, a plan that can't have everything on the GPUs does not fit.
    type: bool
    default: true
  devices:
    description: The GPUs to use, by uuid. By default all that O(backend) drives; of MIG instances one.
    type: list
    elements: str
  backend:
    description:
      - The build of llama.cpp. V(auto) chooses by the GPUs, their compute capability or gfx target, the driver's CUDA version against that of the image,
        and the machine's architecture.
      - V(vulkan) drives GPUs of all vendors, together too. The memory rules describe CUDA, so more is kept in reserve. V(cpu) uses no GPU, whatever there is.
      - One that cannot drive the node's GPUs is an error.
      - V(cpu) excludes O(devices) and O(gpu_layers).
    type: str
    choices: [auto, cuda13, cuda12, rocm, vulkan, sycl, metal, cpu]
    default: auto
  image:
    description:
      - A container image to use as it is, with its registry and its tag or digest. That it suits the node is then not checked.
    type: str
  image_repository:
    description: Where the images of llama.cpp lie, for a mirror of them with the same tags.
    type: str
    default: ghcr.io/ggml-org/llama.cpp
  image_build:
    description: The build of llama.cpp whose image to use. By default the one whose memory rules the plan follows.
    type: int
  reserve_bytes:
    description:
      - The bytes to leave free on each GPU, for the context of the driver and for other programs. One number, or a list with one for each GPU.
      - The default is 536870912 more where O(backend) is V(vulkan).
    type: raw
    default: 1073741824
  budget_bytes:
    description:
      - The most bytes to use of each GPU, in place of what is free less the reserve. One number, or a list with one for each GPU.
      - With a list in O(reserve_bytes) too, the smaller of both limits holds.
    type: raw
  ram_reserve_bytes:
    description: The bytes of available RAM to leave free, beside what the server itself takes.
    type: int
    default: 2147483648
  ram_budget_bytes:
    description: The most bytes of RAM to use, in place of what is available less the reserve.
    type: int
  load_mode:
    description:
      - How the weights come into memory. By default V(none) where a GPU works on prompts with weights in RAM and these are at most
        half of it, because copies from pinned memory are faster, else V(auto).
    type: str
    choices: [auto, none, mmap, mlock, mmap+mlock, dio]
  emit:
    description:
      - V(pinned) gives every flag, so that C(llama-server) changes nothing of the plan.
      - V(guided) gives context and margins, and C(llama-server) places layers and experts itself when it starts, by the memory that is then free.
    type: str
    choices: [pinned, guided]
    default: pinned
  tensor_split:
    description:
      - How layers are shared out, one part for each GPU.
      - This and the following options fix the placement. Only the number of layers is then left to the plan.
    type: list
    elements: float
  split_mode:
    description: Share out whole layers, or use O(main_gpu) alone.
    type: str
    choices: [layer, none]
  main_gpu:
    description: The GPU to use with O(split_mode=none).
    type: int
  n_cpu_moe:
    description: Keep the experts of that many blocks, from the first, in RAM.
    type: int
  cpu_moe:
    description: Keep all experts in RAM.
    type: bool
  override_tensor:
    description: Tensors by regular expression and the buffer they go to, as C(regex=BUFFER); V(CPU) is RAM.
    type: list
    elements: str
"""
