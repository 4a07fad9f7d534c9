#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a llama.cpp server in a pod says about itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_llama_server_info
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Ask a llama-server in a Kubernetes cluster what it serves
description:
  - Reads C(/health), C(/props), C(/v1/models) and, where the server offers it, C(/metrics) of a C(llama-server) in a pod, through the API server's proxy,
    and what it logged of its current start. Nothing has to be exposed for that.
  - The answer has the shape of that of M(prositronic.infra.llama_server_info), so the same filters take it.
  - A server without an API key listens on its pod's loopback address only, which the proxy does not reach. Of it the log and the pod's state are read;
    RV(server.not_asked) says so.
  - With O(wait) it waits until the release is ready. It does not wait any longer when a pod was started again twice in the meantime, has failed, or could not
    get its image or its Secrets for a minute.
  - When the pod does not serve, it fails with one message that says what the pod waits for, the reason that the log gives, also of the start before,
    and the last events.
extends_documentation_fragment:
  - prositronic.infra.kubernetes_cluster
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  namespace:
    description: The namespace.
    type: str
    default: default
  release:
    description: The release of the chart. Of several pods the newest that is ready is asked. Either this or O(pod).
    type: str
  pod:
    description: The pod.
    type: str
  wait:
    description: Seconds to wait until every workload of O(release) is ready. A big model needs minutes to load, and a download takes its time.
    type: int
    default: 0
  ready_only:
    description: Only wait until O(release) is ready, and return without asking.
    type: bool
    default: false
  api_key:
    description: An API key of the server. It is sent as C(X-Api-Key), as the API server keeps C(Authorization) for itself.
    type: str
  api_key_secret:
    description: The name of the Secret that holds the API keys, one in a line. The first is used.
    type: str
  api_key_secret_key:
    description: The entry in O(api_key_secret).
    type: str
    default: api-keys
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
  - module: prositronic.infra.llama_server_info
  - plugin: prositronic.infra.llama_server_differences
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask a server in the cluster
  prositronic.infra.kubernetes_llama_server_info:
    namespace: models
    release: chat
    api_key_secret: chat-api-keys
  register: info

- name: Compare it with its plan
  ansible.builtin.debug:
    msg: "{{ (plan | prositronic.infra.llama_server_differences(info.server)).differences }}"
"""

RETURN = r"""
server:
  description:
    - The server, with the keys of RV(prositronic.infra.llama_server_info#module:server) and those below. C(process) is V(null).
    - Of a server that can't be asked C(total_slots) and C(n_ctx) are those of its log, and everything else but C(log) is V(null) or empty.
  returned: success, but for O(ready_only)
  type: dict
  contains:
    not_asked:
      description: Why the server was not asked over HTTP; V(null) where it was.
      type: str
      sample: null
    pod:
      description: The pod, the node it runs on, and how often its containers were started again.
      type: dict
      sample: {name: chat-7c9d6b5f4-x2x9k, node: gpu-node-3, restarts: 0}
log:
  description: What the server logged, in the shape of RV(prositronic.infra.llama_server_info#module:log).
  returned: when it fails and there is a log
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster import ready
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.connection import argument_spec, connected
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.info import key_from_secret, pod_of, server_of


def main():
    module = AnsibleModule(
        argument_spec={
            **argument_spec(),
            "namespace": {"type": "str", "default": "default"},
            "release": {"type": "str"},
            "pod": {"type": "str"},
            "wait": {"type": "int", "default": 0},
            "ready_only": {"type": "bool", "default": False},
            "api_key": {"type": "str", "no_log": True},
            "api_key_secret": {"type": "str", "no_log": False},
            "api_key_secret_key": {"type": "str", "default": "api-keys", "no_log": False},
            "ask": {"type": "str"},
            "max_tokens": {"type": "int", "default": 32, "no_log": False},
            "ask_timeout": {"type": "int", "default": 120},
        },
        required_one_of=[("release", "pod")],
        mutually_exclusive=[("release", "pod"), ("api_key", "api_key_secret")],
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **answer(module))
    except ready.NotReady as error:
        module.fail_json(msg=str(error), **({} if error.log is None else {"log": error.log}))
    except InfraError as error:
        module.fail_json(msg=str(error))


def answer(module):
    given = module.params
    namespace = given["namespace"]
    if given["pod"] is not None and (given["wait"] or given["ready_only"]):
        raise InfraError("a pod is not waited for", "pod", given["pod"], fix="Name its release to wait until that is ready.")
    api = connected(module)
    if given["release"] is not None and (given["wait"] or given["ready_only"]):
        ready.wait(api, namespace, given["release"], given["wait"])
    if given["ready_only"]:
        return {}
    key = given["api_key"]
    if given["api_key_secret"]:
        key = key_from_secret(api, namespace, given["api_key_secret"], given["api_key_secret_key"])
        module.no_log_values.add(key)
    question = None if given["ask"] is None else (given["ask"], given["max_tokens"], given["ask_timeout"])
    return {"server": server_of(api, namespace, pod_of(api, namespace, given["release"], given["pod"]), key, question)}


if __name__ == "__main__":
    main()
