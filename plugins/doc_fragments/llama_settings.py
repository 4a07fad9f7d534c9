# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation shared by the filters that take settings of llama-server."""

from __future__ import annotations


class ModuleDocFragment:
    """Settings that decide memory, named like llama-server's own options."""

    DOCUMENTATION = r"""
options:
  parallel:
    description: The number of slots, that is, of requests answered at once. By default llama-server's own choice, four.
    type: int
  kv_unified:
    description: One cache for all slots. By default only if O(parallel) is not given.
    type: bool
  cache_type_k:
    description: The type of the K cache. Not given, llama-server's own is V(f16); a plan chooses one.
    type: str
    choices: [f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl]
  cache_type_v:
    description: The type of the V cache. A quantized one needs flash attention. Not given, llama-server's own is V(f16); a plan chooses one.
    type: str
    choices: [f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl]
  flash_attn:
    description: Flash attention. V(auto) counts as on, but for the one architecture that can't use it (Grok).
    type: str
    choices: ["on", "off", auto]
    default: auto
  batch_size:
    description: The most tokens of a logical batch.
    type: int
    default: 2048
  ubatch_size:
    description: The most tokens of a physical batch. Compute buffers grow with it. Not given, llama-server's own is 512; a plan chooses 512 or 2048.
    type: int
  kv_offload:
    description: Keep the cache of the blocks on a GPU there, too.
    type: bool
    default: true
  op_offload:
    description:
      - Let a GPU work on large batches for blocks in RAM. Their weights then pass through its compute buffer.
      - Not given, llama-server's own is V(true); a plan chooses.
    type: bool
"""
