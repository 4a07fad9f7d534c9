# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_args."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.server_args import server_args

DOCUMENTATION = r"""
name: llama_server_args
short_description: A plan as the arguments of llama-server
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Gives the list of arguments with which C(llama-server) runs a plan. By default what the plan decides is pinned, with C(--fit off),
    so that C(llama-server) changes nothing of it.
  - The API key is only ever given by file. Arguments can be read by every user of a machine.
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  model:
    description: Where the model lies on the machine; of a split model the first file. By default the path that the plan was made from.
    type: str
  alias:
    description: The name under which the server offers the model.
    type: str
  host:
    description: The address to listen on.
    type: str
    default: 127.0.0.1
  port:
    description: The port to listen on.
    type: int
    default: 8080
  api_key_file:
    description: A file with the API keys that the server accepts, one in a line.
    type: str
  ui:
    description: Whether the server offers its page for a browser.
    type: bool
    default: false
  log_verbosity:
    description:
      - How much the server logs. Layers and buffers, which P(prositronic.infra.llama_server_info#module) reads, are logged from 4 on,
        what clients ask from 5 on. By default the server's own.
    type: int
  emit:
    description:
      - V(pinned) gives every flag. V(guided) gives context and margins, and C(llama-server) places layers and experts itself (C(--fit on)) by the
        memory that is free when it starts. By default what the plan was asked for.
    type: str
    choices: [pinned, guided]
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show how to let the server place layers itself
  ansible.builtin.debug:
    msg: "llama-server {{ plan | prositronic.infra.llama_server_args(model='/models/model.gguf', emit='guided') | join(' ') }}"

- name: Show how to start the server
  ansible.builtin.debug:
    msg: "llama-server {{ plan | prositronic.infra.llama_server_args(model='/models/model.gguf', port=8081) | join(' ') }}"
"""

RETURN = r"""
_value:
  description: The arguments, without the name of the program.
  type: list
  elements: str
  sample: [--model, /models/model.gguf, --host, 127.0.0.1, --port, "8081", --no-ui, --ctx-size, "4096", --gpu-layers, "33", --fit, "off"]
"""


@plain_filter
def llama_server_args(plan, **options):
    return server_args(plan, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_server_args": llama_server_args}
