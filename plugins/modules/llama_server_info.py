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
  - Given where the server's log is, by O(log_file), O(journal_unit) or O(container), it returns what the server logged of its current start, namely devices,
    layers on GPUs, buffers and what went wrong. The server logs most of that only when it is started with C(--log-verbosity 4).
  - Where the server's processes are known too, by O(journal_unit), O(container) or O(pid), it returns the memory they hold in RAM and on each GPU.
  - Fails with one message when nothing answers, when the server is not healthy in time, and when it does not accept the API key.
    With a log, the message has the reason that the log gives, and RV(log) is returned.
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
    description:
      - Seconds to wait until the server is healthy. A big model needs minutes to load.
      - It is not waited any longer when the unit of O(journal_unit) failed or does not run, when the container of O(container) has ended or
        is not there, when either was started again twice in the meantime, or when the process O(pid) has ended.
    type: int
    default: 0
  validate_certs:
    description:
      - Whether the certificate of an C(https://) address has to be one for it. A server that is asked on the loopback address has one for another name.
    type: bool
    default: true
  timeout:
    description: Seconds to wait for each answer.
    type: int
    default: 10
  log_file:
    description:
      - A file on the node with the server's log. Read is what follows the last line with which the supervisor of M(prositronic.infra.embedded_server)
        or the server itself began; a file without such a line counts as one start.
    type: path
  journal_unit:
    description:
      - The unit of systemd that runs the server, with or without C(.service). Read is what the journal has of the unit's current start.
      - The journal of a unit of the system may be read by root and the members of the groups C(systemd-journal) and C(adm).
    type: str
  journal_scope:
    description: Whether O(journal_unit) is one of the system or of the user that the module runs as.
    type: str
    choices: [system, user]
    default: system
  container:
    description: The name or id of the container that runs the server. Read is its log since it was last started.
    type: str
  container_engine:
    description: What runs O(container).
    type: str
    choices: [podman, docker]
    default: podman
  pid:
    description: The process of the server, where neither O(journal_unit) nor O(container) tells it.
    type: int
  program_timeout:
    description: Seconds for each answer of C(systemctl), C(journalctl), C(podman), C(docker) and C(nvidia-smi).
    type: int
    default: 20
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

- name: Wait for a server and read what it logged
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    wait: 600
    log_file: /var/log/llama-server.log
  register: info

- name: Show what lies on each GPU and in RAM
  ansible.builtin.debug:
    msg: "{{ info.server.log.memory }}"

- name: Wait for a Quadlet, which is given up as soon as its unit has failed
  prositronic.infra.llama_server_info:
    url: http://127.0.0.1:8080
    wait: 600
    journal_unit: llama-chat.service
  register: info
  ignore_errors: true

- name: Say why it does not come
  ansible.builtin.debug:
    msg: "{{ info.log.failure or info.log.why_not or 'The log has no reason.' }}"
  when: info is failed
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
        prompt_tokens_processed:
          description: Of these, those that the server had to process; it had the others in its cache.
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
    log:
      description: What the server logged of its current start; V(null) when no log was named.
      type: dict
      contains:
        source:
          description: Where it was read.
          type: str
          sample: journal of llama-chat.service
        read:
          description: Whether there was anything to read. If not, RV(server.log.why_not) says why and everything else is V(null) or empty.
          type: bool
          sample: true
        whole:
          description: Whether all of it was read. Of a log of more than 2 MiB it is the first and the last MiB.
          type: bool
          sample: true
        why_not:
          description: Why nothing was read; V(null) otherwise.
          type: str
          sample: null
        build:
          description: Build and commit; V(null) where it isn't logged. That, and all down to RV(server.log.context), needs C(--log-verbosity 4).
          type: str
          sample: b11669-Debian
        verbosity:
          description: The server's C(--log-verbosity).
          type: int
          sample: 4
        backends:
          description: The backends that the server loaded from libraries. Empty for a build that has them within.
          type: list
          elements: str
          sample: [CUDA, CPU]
        devices:
          description: The GPUs that the server saw.
          type: list
          elements: dict
          contains:
            name:
              description: The name in llama.cpp, as RV(prositronic.infra.llama_plan#filter:_value.node) has it.
              type: str
              sample: CUDA0
            description:
              description: The GPU's name.
              type: str
              sample: NVIDIA L4
            pci_bus_id:
              description: Its address on the bus; V(null) where the backend doesn't tell it or the GPU was not used.
              type: str
              sample: "0000:01:00.0"
            total_bytes:
              description: Its memory.
              type: int
              sample: 23622320128
            free_bytes:
              description: What was free of it before the model was loaded.
              type: int
              sample: 23300000000
            used:
              description: Whether the server was given it for this model. With no layers to offload that may be for work on prompts only.
              type: bool
              sample: true
        layers:
          description: Layers on GPUs, the output counted as one, and all; V(null) where it isn't logged.
          type: dict
          sample: {on_gpu: 33, total: 33}
        memory:
          description:
            - The buffers in the shape of the plan's RV(prositronic.infra.llama_plan#filter:_value.memory), as the server logs them, rounded to 0.01 MiB each.
              C(kv_bytes) are all caches and states. V(null) where none is logged.
            - C(host.weights_mapped) is V(true) where weights in RAM are pages of the file; then the figure is of the part of the file that is mapped.
          type: dict
          sample:
            devices: [{name: CUDA0, weights_bytes: 4641300480, kv_bytes: 2147483648, compute_bytes: 271056896, total_bytes: 7059841024}]
            host: {weights_bytes: 295698432, kv_bytes: 0, compute_bytes: 25182208, total_bytes: 320880640, output_bytes: 2097152, weights_mapped: true}
        context:
          description: The context as it was made, with C(flash_attn) as it was decided; V(null) where it isn't logged.
          type: dict
          sample: {slots: 4, n_ctx: 16384, n_ctx_seq: 16384, n_seq_max: 4, n_batch: 2048, n_ubatch: 512, kv_unified: true, flash_attn: true,
            cache_type_k: f16, cache_type_v: f16}
        model_loaded:
          description: Whether the server said that it loaded the model.
          type: bool
          sample: true
        problems:
          description: What went wrong, as a C(code) and a C(message), in the order of the log.
          type: list
          elements: dict
          sample: [{code: no_usable_gpu, message: "llama-server found no GPU, so everything is on the CPU"}]
        failure:
          description: What most likely keeps the server from serving, in one sentence; V(null) where the log has no such thing, or it serves.
          type: str
          sample: null
        warnings:
          description: The last of the server's warnings and errors as it wrote them, each once, at most 20.
          type: list
          elements: str
          sample: ["srv  llama_server: security: no API key is set and CORS allows all origins"]
    process:
      description: The memory of the server's processes; V(null) where they aren't known or this user may not look at them.
      type: dict
      contains:
        pid:
          description: The server's process.
          type: int
          sample: 4711
        rss_bytes:
          description: Its pages in RAM, those of the mapped model too.
          type: int
          sample: 5368709120
        rss_anon_bytes:
          description: Of these, what is only the process's own.
          type: int
          sample: 805306368
        cgroup_bytes:
          description: What its control group holds, caches of files too; V(null) where it isn't accounted.
          type: int
          sample: 6442450944
        gpus:
          description:
            - The memory it holds on each GPU, with the GPU's C(uuid) (NVIDIA) or C(pci_bus_id) (AMD and Intel), and C(used_bytes).
            - It is more than the buffers of RV(server.log.memory), by what the driver and its libraries keep.
          type: list
          elements: dict
          sample: [{uuid: GPU-6b5c2b1e-0c8b-4a57-9f0e-2d5e6a7c8b9d, pci_bus_id: null, used_bytes: 7432306688}]
log:
  description: The same as RV(server.log), of a server that is not healthy.
  returned: when it fails and a log was named
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Client, first_key
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import ask, server_info
from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper import keeper_of
from ansible_collections.prositronic.infra.plugins.module_utils._server.usage import usage
from ansible_collections.prositronic.infra.plugins.module_utils._server.watch import NotHealthy, read_log, wait


def main():
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "api_key_file": {"type": "path", "no_log": False},
            "api_key": {"type": "str", "no_log": True},
            "wait": {"type": "int", "default": 0},
            "validate_certs": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 10},
            "log_file": {"type": "path"},
            "journal_unit": {"type": "str"},
            "journal_scope": {"type": "str", "choices": ["system", "user"], "default": "system"},
            "container": {"type": "str"},
            "container_engine": {"type": "str", "choices": ["podman", "docker"], "default": "podman"},
            "pid": {"type": "int"},
            "program_timeout": {"type": "int", "default": 20},
            "ask": {"type": "str"},
            "max_tokens": {"type": "int", "default": 32, "no_log": False},
            "ask_timeout": {"type": "int", "default": 120},
        },
        mutually_exclusive=[("api_key", "api_key_file"), ("log_file", "journal_unit", "container"), ("pid", "journal_unit", "container")],
        supports_check_mode=True,
    )
    given = module.params
    keeper = keeper_of(given, module.get_bin_path)
    try:
        key = first_key(given["api_key_file"]) if given["api_key_file"] else given["api_key"]
        client = Client(given["url"], key, given["timeout"], given["validate_certs"])
        wait(client, given["wait"], keeper)
        server = server_info(client)
        server["answer"] = None if given["ask"] is None else ask(client, given["ask"], given["max_tokens"], given["ask_timeout"])
    except NotHealthy as error:
        module.fail_json(msg=str(error), **({} if error.log is None else {"log": error.log}))
    except InfraError as error:
        module.fail_json(msg=str(error))
    server["log"] = read_log(keeper)
    server["process"] = usage(keeper.processes(), module.get_bin_path, given["program_timeout"])
    module.exit_json(changed=False, server=server)


if __name__ == "__main__":
    main()
