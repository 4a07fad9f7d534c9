#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The GGUF header of a model on the node as data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gguf_info
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Read what a model on the node is from its GGUF header
description:
  - Reads the header of a GGUF model on the node and returns its architecture, hyperparameters, tensors and sizes.
  - Only the header is read, never the weights. All shards of a split model are read; any of them may be given.
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
  path:
    description: Path of the V(.gguf) file on the node, or of any shard of a split model.
    type: path
    required: true
seealso:
  - plugin: prositronic.infra.gguf
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read a model on the node
  prositronic.infra.gguf_info:
    path: /models/Llama-3.1-8B-Instruct-Q4_K_M.gguf
  register: info

- name: Show its context length
  ansible.builtin.debug:
    msg: "{{ info.model.hyperparameters.context_length }}"
"""

RETURN = r"""
model:
  description: The model.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    source:
      description: The path as given.
      type: str
      sample: /models/Llama-3.1-8B-Instruct-Q4_K_M.gguf
    type:
      description: C(general.type), usually V(model).
      type: str
      sample: model
    name:
      description: C(general.name), else the file's name without quantization and shard number.
      type: str
      sample: Llama 3.1 8B Instruct
    architecture:
      description: C(general.architecture).
      type: str
      sample: llama
    quantization:
      description:
        - The name for C(general.file_type).
        - Where the file does not say it, the type that most bytes of weights have. V(null) where there are no weights either.
      type: str
      sample: Q4_K_M
    parameters:
      description: Number of weights, the embeddings included.
      type: int
      sample: 8030261312
    size_bytes:
      description: Size of all files together, according to their tensor tables.
      type: int
      sample: 4920734944
    header_only:
      description: Whether the files carry no weights. Such a model can be planned with, but not served.
      type: bool
      sample: false
    files:
      description: Every file of the model; the shards of a split model in order.
      type: list
      elements: dict
      contains:
        path:
          description: Absolute path on the node.
          type: str
          sample: /models/Llama-3.1-8B-Instruct-Q4_K_M.gguf
        url:
          description: Always V(null); the P(prositronic.infra.gguf#lookup) lookup also reads from web servers.
          type: str
          sample:
        size_bytes:
          description: Size according to the tensor table.
          type: int
          sample: 4920734944
        header_bytes:
          description: Offset of the tensor data.
          type: int
          sample: 7823000
    gguf:
      description: The file format.
      type: dict
      contains:
        version:
          description: GGUF version.
          type: int
          sample: 3
        alignment:
          description: Alignment of the tensor data in bytes.
          type: int
          sample: 32
    hyperparameters:
      description:
        - Every key of the architecture, without its prefix; a number, string, boolean or list of them as in the file.
        - C(vocab_size) is the number of tokens where the file has no such key.
      type: dict
      sample:
        block_count: 32
        attention.head_count: 32
        vocab_size: 128256
    tokenizer:
      description: The tokenizer, without its vocabulary.
      type: dict
      contains:
        model:
          description: C(tokenizer.ggml.model), or V(null).
          type: str
          sample: gpt2
        tokens:
          description: Number of tokens.
          type: int
          sample: 128256
        chat_template:
          description: Whether the file has a chat template.
          type: bool
          sample: true
    tensors:
      description: One row for all tensors that differ in nothing but the number of their block.
      type: list
      elements: dict
      contains:
        name:
          description: Name, with C(*) for the number of the block.
          type: str
          sample: blk.*.attn_q.weight
        blocks:
          description: Numbers of the blocks, or V(null) for a tensor outside of the blocks.
          type: str
          sample: 0-31
        type:
          description: Type of ggml.
          type: str
          sample: Q4_K
        shape:
          description: Dimensions in GGUF's order, the row length first.
          type: list
          elements: int
          sample: [4096, 4096]
        size_bytes:
          description: Bytes of one such tensor.
          type: int
          sample: 9437184
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local


def main():
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    try:
        module.exit_json(changed=False, model=read_local(module.params["path"]))
    except InfraError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
