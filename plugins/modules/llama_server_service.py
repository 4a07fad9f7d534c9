#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A llama-server under Podman, Compose or systemd."""

from __future__ import annotations

DOCUMENTATION = r"""
module: llama_server_service
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Run a rendered llama-server as a service, and go back when it fails
description:
  - Writes what the filter P(prositronic.infra.llama_server_manifests#filter) rendered, has it checked by the program that reads it, and starts the server.
    Returns when the server is healthy. The role P(prositronic.infra.llama_server#role) uses this module.
  - The server is restarted only when its files, its secrets, its image or what it reads when it starts have changed. systemd is told to read its units anew
    only when one of them has changed, as that takes GPUs away from containers that have them by other means than CDI.
  - A version that does not become healthy is replaced with the one that was healthy before, and the module fails with the reason that the log gives.
  - Files that are there and not from this collection are refused and stay.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    details: Needs systemd, or Docker or Podman with Compose.
    platforms: linux
options:
  directory:
    description:
      - A directory of the role for all its servers. It remembers there what each was last healthy with, in C(services/), for its owner only.
    type: path
    required: true
  name:
    description: The name of the server.
    type: str
    required: true
  state:
    description:
      - V(started) runs the server and returns when it is healthy.
      - V(absent) stops it and removes its files and the secrets that were made for it. Images, models and the files with keys stay.
    type: str
    choices: [started, absent]
    default: started
  manifests:
    description:
      - The rendered server, as P(prositronic.infra.llama_server_manifests#filter) returns it.
      - Needed with O(state=started). With O(state=absent) what is remembered goes first.
    type: dict
  watch:
    description: Files that the server reads when it starts, such as those of its model. A change of one of them restarts it.
    type: list
    elements: path
    default: []
  image_archive:
    description: An archive on the node that holds the image, as C(podman save) makes it. By default the image is pulled where it is not there.
    type: path
seealso:
  - plugin: prositronic.infra.llama_server_manifests
    plugin_type: filter
  - module: prositronic.infra.llama_server_info
"""

EXAMPLES = r"""
- name: Run the server under Podman
  prositronic.infra.llama_server_service:
    directory: /var/lib/llama_server
    name: default
    manifests: "{{ plan | prositronic.infra.llama_server_manifests('quadlet', model='/models/model.gguf') }}"
    watch: [/models/model.gguf]
  become: true

- name: Remove it
  prositronic.infra.llama_server_service:
    directory: /var/lib/llama_server
    name: default
    state: absent
  become: true
"""

RETURN = r"""
status:
  description: What the server is now, in check mode what it would be.
  returned: success
  type: str
  sample: started
reasons:
  description: Why something was done. Empty when nothing had to be.
  returned: success
  type: list
  elements: str
  sample: ["changed: /etc/containers/systemd/llama-server-default.container"]
log:
  description: What the log of the server says that did not become healthy, as RV(prositronic.infra.llama_server_info#module:log).
  returned: when a server did not become healthy
  type: dict
restarted:
  description: Whether what ran before was not what should run.
  returned: success
  type: bool
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._service.deployment import deployment
from ansible_collections.prositronic.infra.plugins.module_utils._service.ensure import Options, ensure_absent, ensure_started
from ansible_collections.prositronic.infra.plugins.module_utils._service.memory import Memory


def main():
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["started", "absent"], "default": "started"},
            "manifests": {"type": "dict"},
            "watch": {"type": "list", "elements": "path", "default": []},
            "image_archive": {"type": "path"},
        },
        required_if=[("state", "started", ["manifests"])],
        supports_check_mode=True,
    )
    given = module.params

    def run(argv, environment):
        status, output, errors = module.run_command(argv, environ_update={"LC_ALL": "C", **environment}, errors="replace", handle_exceptions=False)
        return status, output, errors

    try:
        made = None if given["manifests"] is None else deployment(given["manifests"])
        remembered = Memory(os.path.join(given["directory"], "services"), given["name"])
        if given["state"] == "absent":
            outcome = ensure_absent(made, remembered, _found(run), module.check_mode)
        else:
            options = Options(tuple(given["watch"]), given["image_archive"], module.check_mode)
            outcome = ensure_started(made, remembered, _found(run), options)
    except InfraError as error:
        log = getattr(error, "log", None)
        module.fail_json(msg=str(error), **({} if log is None else {"log": log}))
    diff = [{"before": before or "", "after": after or "", "before_header": path, "after_header": path} for path, before, after in outcome.diff]
    status = {"status": given["state"], "reasons": outcome.reasons, "restarted": outcome.restarted}
    module.exit_json(changed=outcome.changed, diff=diff, **status)


def _found(run):
    """C(run) for which a program that is not there is one that failed."""

    def tried(argv, environment):
        try:
            return run(argv, environment)
        except OSError as error:
            return 127, "", f"{argv[0]}: {error.strerror}"

    return tried


if __name__ == "__main__":
    main()
