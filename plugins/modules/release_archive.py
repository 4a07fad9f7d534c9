#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A release archive in a directory of its own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_archive
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Install a release from its archive, checked by its checksum
description:
  - Downloads a tar archive, checks its SHA-256, and unpacks what lies beside a program in it into a directory, which is there whole or not at all.
  - The role P(prositronic.infra.llama_server#role) uses it for releases of llama.cpp.
  - Refuses archives that reach out of their directory, and a directory that holds something else.
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
    description: Its address, C(https://) or C(file://). Needed with O(state=present).
    type: str
  sha256:
    description: Its SHA-256. Needed with O(state=present).
    type: str
  directory:
    description: Where it goes.
    type: path
    required: true
  program:
    description: The name of the program. What is in the archive's folder beside it is installed, in whatever folder of the archive that is.
    type: str
    required: true
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description: Seconds to wait for the server's answer.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Install a release of llama.cpp
  prositronic.infra.release_archive:
    url: https://github.com/ggml-org/llama.cpp/releases/download/b11312/llama-b11312-bin-ubuntu-vulkan-x64.tar.gz
    sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    directory: /opt/llama.cpp/b11312
    program: llama-server
"""

RETURN = r"""
path:
  description: The program.
  returned: success
  type: str
  sample: /opt/llama.cpp/b11312/llama-server
"""

import os
import re
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._service import archive


def main():
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str"},
            "sha256": {"type": "str"},
            "directory": {"type": "path", "required": True},
            "program": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "timeout": {"type": "int", "default": 60},
        },
        required_if=[("state", "present", ["url", "sha256"])],
        supports_check_mode=True,
    )
    given = module.params
    directory = given["directory"].rstrip("/")
    try:
        changed = _absent(module, directory) if given["state"] == "absent" else _present(module, directory)
    except InfraError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, path=os.path.join(directory, given["program"]))


def _absent(module, directory):
    there = os.path.exists(os.path.join(directory, archive.NOTE))
    return there if module.check_mode else archive.remove(directory)


def _present(module, directory):
    given = module.params
    if not re.fullmatch(r"[0-9a-f]{64}", given["sha256"]):
        raise InfraError("not a SHA-256", "sha256", shown(given["sha256"]), "64 hexadecimal digits")
    if archive.installed(directory, given["program"]) == given["sha256"]:
        return False
    if not module.check_mode:
        with tempfile.TemporaryDirectory(dir=module.tmpdir) as folder:
            path = _fetched(module, folder)
            archive.check_sum(path, given["sha256"])
            archive.install(path, given["sha256"], directory, given["program"])
    return True


def _fetched(module, folder):
    """The archive as a file in C(folder)."""
    answer, info = fetch_url(module, module.params["url"], timeout=module.params["timeout"])
    if answer is None or info["status"] not in (200, None, -1):
        raise InfraError("the archive can't be downloaded", module.params["url"], info.get("msg"))
    path = os.path.join(folder, "archive")
    try:
        with open(path, "wb") as stream:
            shutil.copyfileobj(answer, stream)
    except OSError as error:
        raise InfraError("the archive can't be downloaded", module.params["url"], str(error)) from None
    return path


if __name__ == "__main__":
    main()
