#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a model on the node, whole and checked."""

from __future__ import annotations

DOCUMENTATION = r"""
module: model_download
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Download the files of a model to a node
description:
  - Downloads every file of a GGUF model, checks its SHA-256 checksum and gives it its name when it is whole.
  - A download goes on in a process of its own when the connection from the controller is lost. The next run finds it and waits for it.
    After a kill, a power loss or a reboot the next run goes on where the last one stopped.
  - What is there is recorded in C(.downloads/manifest.json) in O(directory). A file that has kept its size and its time of change
    since then is taken for unchanged, without being read. See O(verify).
  - Before the first byte is fetched the module checks that everything fits on the file system.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    details: The download goes on by itself. Use O(wait=false) to do something else meanwhile.
    support: none
  bypass_host_loop:
    support: none
  check_mode:
    details: Says what would be fetched, with sizes. It asks the server for them, but does not read the content of files.
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
options:
  directory:
    description: Where the files go. It is made when it is missing. One download at a time works in it.
    type: path
    required: true
  source:
    description:
      - Where the model is.
      - V(hf:org/repo) or V(hf:org/repo:Q4_K_M) on the Hugging Face Hub, or V(hf:org/repo/path/model.gguf); each may end in V(@revision),
        a branch, tag or commit. A commit that was downloaded before is not asked for again.
      - V(https://host/path/model.gguf), or V(http://).
      - A path on the node. The files have to be there.
      - Of a split model any shard may be given. All of them are brought.
      - One of O(source) and O(files) is needed, but not with O(job).
    type: str
  files:
    description: Each file by itself, for example those of the P(prositronic.infra.llama_model_paths#filter) filter.
    type: list
    elements: dict
    suboptions:
      path:
        description:
          - Where the file lies on the node. A relative path is one in O(directory).
          - Without it the file gets the name in its URL. Without O(files[].url) the file has to be there.
        type: str
      url:
        description: Where to download it.
        type: str
      sha256:
        description: Its checksum, with C(sha256:) before it or without.
        type: str
      src:
        description: Where it was copied from. Not used, so that a file may be one of the filter's.
        type: str
  sha256:
    description:
      - The checksums of the files of O(source) in order.
      - Without them the checksum is that of the server, where it tells it as the Hub does (C(X-Linked-ETag) or its listing).
    type: list
    elements: str
    default: []
  state:
    description: V(absent) removes the files that were downloaded, and parts of them. Files that wrong content was found in stay.
    type: str
    choices: [present, absent]
    default: present
  endpoint:
    description:
      - Address of the Hugging Face Hub or of a mirror.
      - Without it the environment variable E(HF_ENDPOINT) on the node counts, then V(https://huggingface.co).
    type: str
  token:
    description:
      - Access token for private and gated models. Without it the environment variable E(HF_TOKEN) on the node counts.
      - It is sent to the host of O(endpoint) only, also after a redirect. It is never written to a file or an argument of a program.
    type: str
  token_file:
    description: A file on the node with the token. It goes before O(token).
    type: path
  timeout:
    description: Seconds to wait for an answer, or for more of it.
    type: float
    default: 60
  retries:
    description:
      - How many failures in a row are borne without a new byte in between. The pauses grow to a minute, or are as long as the server asks for.
    type: int
    default: 8
  verify:
    description:
      - V(recorded) trusts the manifest.
      - V(always) reads every file again and compares its checksum, which takes minutes for hundreds of GiB. What is wrong is fetched again.
    type: str
    choices: [recorded, always]
    default: recorded
  lock_timeout:
    description:
      - Seconds to wait for a download of other files into O(directory). Then the module fails and says who is at it.
      - A download of the same files is joined instead.
    type: int
    default: 300
  wait:
    description: Whether to return when everything is there. Else the module returns when the download has started.
    type: bool
    default: true
  poll:
    description: Seconds between two lines of progress.
    type: int
    default: 30
  job:
    description: Waits for the download that an earlier answer named RV(job), and starts none.
    type: str
notes:
  - Proxies are taken from the environment variables C(http_proxy), C(https_proxy) and C(no_proxy) on the node.
  - A file whose content is wrong is kept as C(NAME.bad-CHECKSUM) beside its place.
  - Where systemd-logind is set to C(KillUserProcesses=yes), an unprivileged user's download ends with the connection. The next run goes on.
seealso:
  - plugin: prositronic.infra.gguf
    plugin_type: lookup
  - module: prositronic.infra.gguf_info
"""

EXAMPLES = r"""
- name: A model from the Hugging Face Hub, every shard of it
  prositronic.infra.model_download:
    source: hf:org/Some-Model-GGUF:Q4_K_M@main
    directory: /srv/models
  register: download

- name: Show the path for llama-server
  ansible.builtin.debug:
    var: download.path

- name: A private model on a mirror
  prositronic.infra.model_download:
    source: hf:org/repo
    directory: /srv/models/private
    endpoint: https://hub.example.com
    token: "{{ vault_hf_token }}"

- name: Start a download and do something else
  prositronic.infra.model_download:
    source: https://example.com/large.gguf
    directory: /srv/models
    wait: false
  register: started

- name: Wait for it, with a line of progress every minute
  prositronic.infra.model_download:
    directory: /srv/models
    job: "{{ started.job }}"
    poll: 60
  when: not started.finished

- name: Read everything again
  prositronic.infra.model_download:
    source: hf:org/Some-Model-GGUF:Q4_K_M@main
    directory: /srv/models
    verify: always

- name: Remove a model
  prositronic.infra.model_download:
    source: https://example.com/large.gguf
    directory: /srv/models
    state: absent
"""

RETURN = r"""
path:
  description: The first file, the one that llama-server is given; V(null) while it is not known.
  returned: success
  type: str
  sample: /srv/models/model-Q4_K_M.gguf
files:
  description: Every file; the shards of a split model in order. Empty while the download runs.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path on the node.
      type: str
      sample: /srv/models/model-Q4_K_M.gguf
    url:
      description: Where it comes from, without user, password and query; V(null) for a file that had to be there.
      type: str
      sample: https://huggingface.co/org/repo/resolve/main/model-Q4_K_M.gguf
    size_bytes:
      description: Its size.
      type: int
      sample: 4920734944
    sha256:
      description: Its checksum, where it is known.
      type: str
    action:
      description:
        - V(keep) where nothing was done, V(check) where it was read, V(fetch), V(resume) where a part was there already,
          V(repair) where it was cut short, V(remove).
      type: str
      sample: fetch
    reason:
      description: Why.
      type: str
      sample: not there
    fetched_bytes:
      description: How much was fetched; in check mode how much would be.
      type: int
      sample: 4920734944
finished:
  description: Whether the download is done.
  returned: success
  type: bool
  sample: true
job:
  description: The download, for O(job); V(null) where none was needed.
  returned: success
  type: str
progress:
  description: How far it is, for a person.
  returned: success
  type: str
  sample: downloading model-00002-of-00009.gguf (2 of 9), 12.5 of 400.0 GiB (3 %), 240.0 MiB/s, 27 min left
notes:
  description: What happened on the way, such as failures that were borne.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.prositronic.infra.plugins.module_utils._download.ensure import FETCHES, absent, attach, present
from ansible_collections.prositronic.infra.plugins.module_utils._download.request import Request
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

ARGUMENTS = {
    "directory": {"type": "path", "required": True},
    "source": {"type": "str"},
    "files": {
        "type": "list",
        "elements": "dict",
        "options": {"path": {"type": "str"}, "url": {"type": "str"}, "sha256": {"type": "str"}, "src": {"type": "str"}},
    },
    "sha256": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "endpoint": {"type": "str", "fallback": (env_fallback, ["HF_ENDPOINT"])},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["HF_TOKEN"])},
    "token_file": {"type": "path", "no_log": False},
    "timeout": {"type": "float", "default": 60},
    "retries": {"type": "int", "default": 8},
    "verify": {"type": "str", "choices": ["recorded", "always"], "default": "recorded"},
    "lock_timeout": {"type": "int", "default": 300},
    "wait": {"type": "bool", "default": True},
    "poll": {"type": "int", "default": 30},
    "job": {"type": "str"},
}
SAME = ("directory", "source", "sha256", "endpoint", "timeout", "retries", "lock_timeout")


def token_of(given):
    if given["token_file"] is None:
        return given["token"]
    try:
        with open(given["token_file"], encoding="utf-8") as stream:
            return stream.read().strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InfraError("the token can't be read", where=given["token_file"], got=reason) from None


def answer(given, check_mode):
    request = Request(files=given["files"], token=token_of(given), always=given["verify"] == "always", **{name: given[name] for name in SAME})
    seconds = max(given["poll"], 1) if given["wait"] else 0
    if given["job"] is not None:
        return attach(request, given["job"], seconds)
    if given["state"] == "absent":
        return absent(request, check_mode)
    return present(request, seconds, check_mode)


def diff_of(rows):
    before = [f"{row['path']}: {row['reason']}\n" for row in rows if row["action"] in (*FETCHES, "remove")]
    after = [f"{row['path']}: {row['size_bytes']} bytes\n" for row in rows if row["action"] in FETCHES]
    return {"before": "".join(before), "after": "".join(after)}


def main():
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_one_of=[("source", "files", "job")],
        mutually_exclusive=[("source", "files", "job")],
        supports_check_mode=True,
    )
    try:
        outcome = answer(module.params, module.check_mode)
    except (InfraError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(path=outcome.files[0]["path"] if outcome.files else None, diff=diff_of(outcome.files), **vars(outcome))


if __name__ == "__main__":
    main()
