#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A supervised background server on a machine without systemd and without a container engine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: embedded_server
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
short_description: Run a server as a supervised background process
description:
  - Runs a command in the background under a small supervisor, with a pid file and a log, on a machine that has neither systemd
    nor a container engine. The role P(prositronic.infra.llama_server#role) installs the supervisor and uses this module.
  - The server is started again when it ended, and restarted only when its command, its environment or one of O(files) changed.
  - It does not survive a reboot. For a server that has to, use a service manager.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    details: Needs C(/proc), so Linux.
    platforms: linux
options:
  directory:
    description:
      - The directory of this server, and of no other. It holds the pid file, the log and the supervisor's state.
      - It is made, for its owner only, when it is missing.
    type: path
    required: true
  state:
    description:
      - V(started) starts the server when it does not run, and restarts it when what should run is not what runs.
      - V(restarted) restarts it always.
      - V(stopped) ends the server and keeps its log.
      - V(absent) ends it and removes its directory.
    type: str
    choices: [started, restarted, stopped, absent]
    default: started
  command:
    description:
      - The program, by its full path, and its arguments.
      - Needed with O(state=started) and O(state=restarted). Everybody on the machine can read it, so it must not hold secrets.
    type: list
    elements: str
  env:
    description: Environment variables for the command, beside those the module runs with.
    type: dict
    default: {}
  supervisor:
    description: The supervisor's script on the node. Needed with O(state=started) and O(state=restarted).
    type: path
  files:
    description:
      - Files that the command reads when it starts. A change of one of them restarts the server, and so does one of O(supervisor).
      - A file of more than 1 MiB, such as a model, counts as changed when its size or its time of change is another.
    type: list
    elements: path
    default: []
  stop_timeout:
    description: Seconds the command has to end after C(SIGTERM). Then it is killed.
    type: int
    default: 30
  ready_url:
    description:
      - Address of the server, such as V(http://127.0.0.1:8080). The module then returns when C(/health) there says that the server is
        ready, and fails, with the end of its log, when it ended.
      - Also, the server is not started when something else already answers there.
    type: str
  ready_timeout:
    description: Seconds to wait for O(ready_url).
    type: int
    default: 300
seealso:
  - module: prositronic.infra.llama_server_info
"""

EXAMPLES = r"""
- name: Run a server in the background
  prositronic.infra.embedded_server:
    directory: /opt/llama/instances/default
    supervisor: /opt/llama/embedded/supervisor.py
    command:
      - /opt/llama/venv/bin/python
      - /opt/llama/embedded/serve.py
      - --model
      - /models/model.gguf
      - --host
      - 127.0.0.1
      - --port
      - "8080"
    files:
      - /opt/llama/embedded/serve.py
      - /models/model.gguf
    ready_url: http://127.0.0.1:8080

- name: Remove it
  prositronic.infra.embedded_server:
    directory: /opt/llama/instances/default
    state: absent
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
  sample: ["changed: command"]
pid:
  description: Process id of the supervisor; V(null) when the server does not run.
  returned: success
  type: int
  sample: 4711
log:
  description: The server's log.
  returned: success
  type: str
  sample: /opt/llama/instances/default/server.log
"""

import json
import sys

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.ensure import ensure
from ansible_collections.prositronic.infra.plugins.module_utils._server.instance import Instance, Wanted

ARGUMENTS = {
    "directory": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["started", "restarted", "stopped", "absent"], "default": "started"},
    "command": {"type": "list", "elements": "str"},
    "env": {"type": "dict", "default": {}},
    "supervisor": {"type": "path"},
    "files": {"type": "list", "elements": "path", "default": []},
    "stop_timeout": {"type": "int", "default": 30},
    "ready_url": {"type": "str"},
    "ready_timeout": {"type": "int", "default": 300},
}
NEEDED = ["command", "supervisor"]
PROCESS = ("command", "env", "files", "stop_timeout", "supervisor", "ready_url", "ready_timeout")


def main():
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "started", NEEDED), ("state", "restarted", NEEDED)],
        supports_check_mode=True,
    )
    given = module.params
    instance = Instance(given["directory"])
    try:
        wanted = Wanted(**{name: given[name] for name in PROCESS}) if given["state"] in ("started", "restarted") else None
        outcome = ensure(instance, given["state"], wanted, module.check_mode, sys.executable, module.run_command)
    except (InfraError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=outcome.changed,
        status=outcome.after["status"],
        reasons=outcome.reasons,
        pid=instance.pid(),
        log=str(instance.directory / "server.log"),
        diff={
            "before_header": given["directory"],
            "after_header": given["directory"],
            "before": json.dumps(outcome.before, indent=2) + "\n",
            "after": json.dumps(outcome.after, indent=2) + "\n",
        },
    )


if __name__ == "__main__":
    main()
