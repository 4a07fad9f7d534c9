# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One model's GGUF header as data."""

from __future__ import annotations

DOCUMENTATION = r"""
name: gguf
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Read what a model is from its GGUF header
description:
  - Reads the header of a GGUF model and returns its architecture, hyperparameters, tensors and sizes as one dictionary.
  - Only the header is read, never the weights. Of a model on a web server or on the Hugging Face Hub a few hundred KiB
    to a few MiB are fetched by HTTP range requests.
  - All shards of a split model are read; any of them may be given.
options:
  _terms:
    description:
      - Where the models are. Each is one of the following.
      - A path on the controller. A relative path is looked for as the P(ansible.builtin.file#lookup) lookup does,
        in the C(files) directories of role and playbook.
      - V(https://host/path/model.gguf) or V(http://host/path/model.gguf), with V(user:password@) before the host where the server wants it.
      - V(hf:org/repo) or V(hf:org/repo:Q4_K_M) for a model on the Hugging Face Hub by its quantization.
        Without a quantization it is V(Q4_K_M) if the repository has it, else the only model of the repository.
      - V(hf:org/repo/path/model.gguf) for a certain file there.
      - Each V(hf:) source may end in V(@revision), a branch, tag or commit.
    type: list
    elements: str
    required: true
  endpoint:
    description: Address of the Hugging Face Hub or of a mirror.
    type: str
    default: https://huggingface.co
    env:
      - name: HF_ENDPOINT
  token:
    description:
      - Access token for private and gated models.
      - It is sent to the host of O(endpoint) only, also after a redirect.
    type: str
    env:
      - name: HF_TOKEN
  timeout:
    description: Seconds that each request may take.
    type: float
    default: 30
  unreadable:
    description:
      - What a model that can't be read is. V(error) is an error of the task.
      - V(value) gives a dictionary with the one key C(error) in place of the model, with the message, so that of several models the others are there.
        To P(prositronic.infra.llama_plan#filter) and the like it is an error with this message.
    type: str
    choices: [error, value]
    default: error
notes:
  - Proxies are taken from the environment variables C(http_proxy), C(https_proxy) and C(no_proxy).
seealso:
  - module: prositronic.infra.gguf_info
"""

EXAMPLES = r"""
- name: A model on the controller
  ansible.builtin.debug:
    msg: "{{ lookup('prositronic.infra.gguf', '/models/Llama-3.1-8B-Instruct-Q4_K_M.gguf').architecture }}"

- name: A model on the Hugging Face Hub, at a certain revision
  ansible.builtin.set_fact:
    model: "{{ lookup('prositronic.infra.gguf', 'hf:org/Some-Model-GGUF:Q4_K_M@main') }}"

- name: A private model on a mirror
  ansible.builtin.set_fact:
    model: "{{ lookup('prositronic.infra.gguf', 'hf:org/repo', endpoint='https://hub.example.com', token=vault_hf_token) }}"

- name: The size of several models
  ansible.builtin.debug:
    msg: "{{ query('prositronic.infra.gguf', 'small.gguf', 'https://example.com/large.gguf') | map(attribute='size_bytes') }}"
"""

RETURN = r"""
_raw:
  description: One dictionary for each term.
  type: list
  elements: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    source:
      description: Where the model was read from, without user, password and query.
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
          description: Absolute path, or V(null).
          type: str
          sample: /models/Llama-3.1-8B-Instruct-Q4_K_M.gguf
        url:
          description: Address without user, password and query, or V(null).
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
        sha256:
          description: Checksum of the whole file.
          returned: when the hub's listing has it
          type: str
          sample: 7b064f5842bf9532c91456deda288a1b672397a54fa729aa665952863033557c
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

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._plain import to_plain

_OF_READING = ("endpoint", "timeout", "token")
_OPTIONS = (*_OF_READING, "unreadable")


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        try:
            for name in kwargs:
                if name not in _OPTIONS:
                    raise InfraError(f"unknown option {shown(name)}", fix=nearest(name, _OPTIONS))
            self.set_options(var_options=variables, direct=kwargs)
            options = {name: to_plain(self.get_option(name), name) for name in _OF_READING}
            keep = self.get_option("unreadable") == "value"

            def find(path):
                # A path that is nowhere is handed on, for the error that names it.
                return self.find_file_in_search_path(variables, "files", path, ignore_missing=True) or path

            return [_read(_source(term), keep, find=find, **options) for term in terms]
        except InfraError as error:
            raise AnsibleLookupError(str(error)) from error


def _read(source, keep, **options):
    """The model; where it can't be read and C(keep) is true, the message."""
    try:
        return read_model(source, **options)
    except InfraError as error:
        if not keep:
            raise
        return {"error": str(error)}


def _source(term):
    source = to_plain(term, "source")
    if not isinstance(source, str):
        raise InfraError("the source is not a string", where="source", got=type(source).__name__, expected="a path, https://…, http://… or hf:org/repo")
    return source
