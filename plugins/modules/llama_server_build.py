#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The build of a llama-server that is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: llama_server_build
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Ask an installed llama-server for its build
description:
  - Runs C(llama-server --version). The filter P(prositronic.infra.llama_server_manifests#filter) tells by the build which arguments the program knows.
  - Fails where the program can't be run, as when a library is missing.
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
    description: Full path of the program.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Ask for the build
  prositronic.infra.llama_server_build:
    path: /usr/bin/llama-server
  register: program
"""

RETURN = r"""
build:
  description: The number of the build; V(null) where the program is not there, or does not know.
  returned: success
  type: int
  sample: 11669
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._service.program import build_of


def main():
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)

    def run(argv, environment):
        return module.run_command(argv, environ_update={"LC_ALL": "C", **environment}, errors="replace")

    try:
        build = build_of(module.params["path"], run)
    except InfraError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, build=build)


if __name__ == "__main__":
    main()
