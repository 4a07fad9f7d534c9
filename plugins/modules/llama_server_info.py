#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a running llama.cpp server says about itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: llama_server_info
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Ask a running llama-server what it serves
description:
  - Reads C(/health), C(/props), C(/v1/models) and, where the server offers it, C(/metrics) of a running C(llama-server).
  - With O(ask) it also lets the server answer one question and returns how fast it was.
  - Fails with one message when nothing answers, when the server is not healthy in time, and when it does not accept the API key.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  url:
    description:
      - Scheme, host and port of the server.
      - It is asked directly, without any proxy.
    type: str
    required: true
  api_key_file:
    description: A file on the node with the server's API keys, one in a line. The first key is used.
    type: path
  api_key:
    description: The API key itself.
    type: str
  wait:
    description: Seconds to wait until the server is healthy. A big model needs minutes to load.
    type: int
    default: 0
  timeout:
    description: Seconds to wait for each answer.
    type: int
    default: 10
  ask:
    description: A question for the server, sent to C(/v1/chat/completions).
    type: str
  max_tokens:
    description: The longest answer to O(ask), in tokens.
    type: int
    default: 32
  ask_timeout:
    description: Seconds to wait for the answer to O(ask).
    type: int
    default: 120
seealso:
  - plugin: prositronic.infra.llama_server_differences
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Wait until the server has loaded its model
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    wait: 300
  register: info

- name: Ask it something
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    api_key_file: /etc/llama/api_keys
    ask: What is the capital of Iceland?
  register: info

- name: Show how fast it was
  ansible.builtin.debug:
    msg: "{{ info.server.answer.predicted_per_second }} tokens per second"
"""

RETURN = r"""
server:
  description: The server.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    url:
      description: The address as given.
      type: str
      sample: http://127.0.0.1:8080
    healthy:
      description: Always V(true); a server that is not healthy is an error.
      type: bool
      sample: true
    build_info:
      description: Build and commit. The Python package xllamacpp is built without them and says V(b0-unknown).
      type: str
      sample: b11549-0c1e57098
    total_slots:
      description: Number of slots, C(--parallel).
      type: int
      sample: 4
    n_ctx:
      description:
        - The context of one slot, in tokens. With C(--kv-unified) each slot may use the whole C(--ctx-size),
          without it the context is divided by the number of slots.
        - It is rounded up to a multiple of 256 and never more than the model was trained with.
      type: int
      sample: 4096
    model_path:
      description: The model's file, as the server was given it.
      type: str
      sample: /models/model.gguf
    model_alias:
      description: The name of the model for clients; the path where the server was given no C(--alias).
      type: str
      sample: Llama 3.1 8B Instruct
    model_ftype:
      description: The quantization in llama.cpp's words.
      type: str
      sample: Q4_K - Medium
    chat_template:
      description: Whether there is a chat template.
      type: bool
      sample: true
    modalities:
      description: What can be sent beside text.
      type: dict
      sample: {vision: false, video: false, audio: false}
    is_sleeping:
      description: Whether the model was unloaded because nobody asked.
      type: bool
      sample: false
    endpoints:
      description: Which of the endpoints that can be switched on and off are on.
      type: dict
      sample: {slots: false, props: false, metrics: true}
    models:
      description: The models of C(/v1/models).
      type: list
      elements: dict
      contains:
        id:
          description: Name for clients.
          type: str
          sample: Llama 3.1 8B Instruct
        n_ctx_train:
          description: The context the model was trained with.
          type: int
          sample: 131072
        parameters:
          description: Number of weights.
          type: int
          sample: 8030261312
        tensors_bytes:
          description: Size of the weights.
          type: int
          sample: 4912898304
        vocab_size:
          description: Number of tokens in the vocabulary.
          type: int
          sample: 128256
    metrics:
      description: The server's counters by name; V(null) when it was started without C(--metrics).
      type: dict
      sample: {"llamacpp:tokens_predicted_total": 1024.0}
    answer:
      description: The answer to O(ask); V(null) without it.
      type: dict
      contains:
        content:
          description: The text.
          type: str
          sample: Reykjavik.
        finish_reason:
          description: V(stop) or, when O(max_tokens) were reached, V(length).
          type: str
          sample: stop
        prompt_tokens:
          description: Tokens of the question with its template.
          type: int
          sample: 17
        completion_tokens:
          description: Tokens of the answer.
          type: int
          sample: 5
        prompt_per_second:
          description: Tokens of the question processed in a second. Says little for a short one.
          type: float
          sample: 410.5
        predicted_per_second:
          description: Tokens of the answer in a second.
          type: float
          sample: 61.2
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Client, first_key
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import ask, server_info, wait_healthy


def main():
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "api_key_file": {"type": "path", "no_log": False},
            "api_key": {"type": "str", "no_log": True},
            "wait": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 10},
            "ask": {"type": "str"},
            "max_tokens": {"type": "int", "default": 32, "no_log": False},
            "ask_timeout": {"type": "int", "default": 120},
        },
        mutually_exclusive=[("api_key", "api_key_file")],
        supports_check_mode=True,
    )
    given = module.params
    try:
        key = first_key(given["api_key_file"]) if given["api_key_file"] else given["api_key"]
        client = Client(given["url"], key, given["timeout"])
        wait_healthy(client, given["wait"])
        server = server_info(client)
        server["answer"] = None if given["ask"] is None else ask(client, given["ask"], given["max_tokens"], given["ask_timeout"])
    except InfraError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, server=server)


if __name__ == "__main__":
    main()
