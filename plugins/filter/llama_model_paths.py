# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_model_paths."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.model_files import model_paths

DOCUMENTATION = r"""
name: llama_model_paths
short_description: Where the files of a model lie on a node
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Gives every file of a model a path on the node. A file that has a path keeps it, a file that has a URL gets a path in a directory.
positional: directory
options:
  _input:
    description: The files, as in C(files) of a model or of C(plan.model).
    type: list
    elements: dict
    required: true
  directory:
    description: The directory for files that are downloaded.
    type: str
    required: true
  copy:
    description: Whether a path is one on the controller, from where the file is copied into the directory.
    type: bool
    default: false
seealso:
  - module: prositronic.infra.model_download
  - plugin: prositronic.infra.gguf
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Show where a model would be downloaded to
  ansible.builtin.debug:
    msg: "{{ files | prositronic.infra.llama_model_paths('/srv/models') }}"
  vars:
    files:
      - url: https://example.com/models/model.gguf
"""

RETURN = r"""
_value:
  description: The files in the same order. The first is the one that llama-server is given.
  type: list
  elements: dict
  contains:
    path:
      description: The path on the node.
      type: str
      sample: /srv/models/model.gguf
    url:
      description: Where to download the file; null for a file that is on the node.
      type: str
      sample: https://example.com/models/model.gguf
    src:
      description: The path on the controller of a file to copy, else null.
      type: str
    sha256:
      description: The checksum, or null.
      type: str
"""


@plain_filter
def llama_model_paths(files, directory, copy=False):
    return model_paths(files, directory, copy)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_model_paths": llama_model_paths}
