# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_measured."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.measured import measured

DOCUMENTATION = r"""
name: llama_server_measured
short_description: What a plan predicted and what its server does, side by side
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Puts the speed and the memory that a plan expects beside what was measured of its server.
  - The result is plain, so it can be kept as JSON beside the server and given to the next P(prositronic.infra.llama_plan#filter) of that host as
    O(prositronic.infra.llama_plan#filter:measured), which shows both.
  - Nothing is scaled by it. One answer of one request measures this plan on this host, and says little about other settings.
positional: info
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  info:
    description:
      - RV(prositronic.infra.llama_server_info#module:server), as M(prositronic.infra.llama_server_info) returns it.
      - For a speed it needs O(prositronic.infra.llama_server_info#module:ask), with an answer of at least 16 tokens for decoding, and a prompt of
        at least 256 tokens that the server doesn't have in its cache for prefill.
    type: dict
    required: true
seealso:
  - module: prositronic.infra.llama_server_info
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Let the server work on a long prompt
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    log_file: /var/log/llama-server.log
    ask: "{{ 'How fast are you? ' * 40 }}"
    max_tokens: 64
  register: info

- name: Keep what was measured
  ansible.builtin.copy:
    content: "{{ plan | prositronic.infra.llama_server_measured(info.server) | to_nice_json }}\n"
    dest: /tmp/prositronic-infra-example.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The two, with the same keys. Figures that are not known are V(null).
  type: dict
  contains:
    schema:
      description: The version of this shape.
      type: int
      sample: 1
    of:
      description: What the figures belong to - C(name), C(quantization) and C(parameters) of the model, C(backend), the plan's C(args), C(build).
      type: dict
    predicted:
      description:
        - C(decode) and C(prefill) with C(tokens_per_second), the range, and what it is for; the plan's decoding is for half of the context in use.
        - Of each of C(devices) and of C(ram) the C(buffers_bytes) of llama.cpp and the C(held_bytes) with what lies outside them.
      type: dict
      sample:
        decode: {tokens_per_second: 11.5, tokens_per_second_low: 8.03, tokens_per_second_high: 14.6, context_tokens: 10752}
        prefill: {tokens_per_second: 1110.0, tokens_per_second_low: 554.0, tokens_per_second_high: 1890.0, batch_tokens: 512}
        devices: [{name: CUDA0, buffers_bytes: 22548578304, held_bytes: 22968008704}]
        ram: {buffers_bytes: 593494016, held_bytes: 925892608}
    measured:
      description:
        - The same of the server. C(decode.context_tokens) is the context that the answer ended with; decoding is faster with little context in use.
        - C(held_bytes) of a GPU is what tools say that the process holds, C(ram.held_bytes) what is only the process's own.
      type: dict
      sample:
        decode: {tokens_per_second: 12.4, tokens: 64, context_tokens: 612}
        prefill: {tokens_per_second: 1240.0, tokens: 548}
        devices: [{name: CUDA0, buffers_bytes: 22548578304, held_bytes: 22953328640}]
        ram: {buffers_bytes: 593494016, held_bytes: 871366656}
    notes:
      description: Why a speed is missing, in sentences.
      type: list
      elements: str
      sample: []
"""


@plain_filter
def llama_server_measured(plan, info):
    return measured(plan, info)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_server_measured": llama_server_measured}
