#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node has of the NVIDIA Container Toolkit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_container_toolkit_info
short_description: What a node has of the NVIDIA Container Toolkit
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Reads what has to be known of a node before the NVIDIA Container Toolkit is installed there. The facts of
    M(prositronic.infra.gpu_facts) say the rest.
  - Changes nothing. Only root sees the containers of others.
options:
  directory:
    description: A folder on the node with package files.
    type: path
  users:
    description: Users who run a rootless Docker.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
seealso:
  - module: prositronic.infra.gpu_facts
  - plugin: prositronic.infra.nvidia_container_toolkit_steps
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask what is there
  prositronic.infra.nvidia_container_toolkit_info:
  register: toolkit

- name: Show the repositories it can come from
  ansible.builtin.debug:
    var: toolkit.node.repositories
"""

RETURN = r"""
node:
  description: What is there.
  returned: success
  type: dict
  contains:
    system:
      description: The operating system.
      type: dict
      sample: {id: debian, version: "13", name: Debian GNU/Linux 13 (trixie), family: debian, manager: apt, architecture: amd64, systemd: true,
        vendor_image: null, selinux: null}
    packages:
      description: The toolkit's packages that are installed, and those of what came before it, with their versions.
      type: dict
      sample: {nvidia-container-toolkit-base: 1.20.0-1}
    held:
      description: Those of them that are held at their version (apt and zypper).
      type: list
      elements: str
    repositories:
      description: Files with a repository of the toolkit that is switched on.
      type: list
      elements: dict
      contains:
        path:
          description: The file.
          type: str
          sample: /etc/apt/sources.list.d/nvidia-docker.list
        urls:
          description: Addresses of the toolkit's repositories in it.
          type: list
          elements: str
        others:
          description: Addresses of other repositories in it.
          type: list
          elements: str
    daemons:
      description: The services of Docker, containerd and CRI-O, V(null) where there is none.
      type: dict
      sample: {docker: {unit: docker.service, active: true, arguments: ["-H", "fd://"]}, containerd: null, crio: null}
    clients:
      description: Those of the commands C(docker), C(podman) and containerd's C(ctr) that are there. A Docker daemon may be there without its client.
      type: list
      elements: str
    containers:
      description: How many containers run under each engine, and how many of them use an NVIDIA GPU.
      type: dict
      sample: {podman: {running: 1, gpu: 1}, docker: {running: 0, gpu: 0}, containerd: {running: 0, gpu: 0}, crio: {running: 0, gpu: 0}}
    hook:
      description: The path of the OCI hook of earlier releases of the toolkit, V(null) where it is not there.
      type: str
    refresh_settings:
      description: What is set in the file of the service that makes the CDI specification, V(null) where there is no such file.
      type: dict
    refresh_units:
      description: Whether the units that make the CDI specification are there.
      type: bool
    containerd_version:
      description: The version of the format of containerd's file, V(null) where there is none.
      type: int
    users:
      description: The users asked for.
      type: list
      elements: dict
      sample: [{name: ada, id: 1000, home: /home/ada, docker: true, runtime: /run/user/1000}]
    files:
      description: The package files in O(directory) and their SHA-256 checksums, V(null) without O(directory).
      type: dict
"""

import os
import pwd

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.node import read


def main():
    module = AnsibleModule(
        argument_spec={"directory": {"type": "path"}, "users": {"type": "list", "elements": "str", "default": []}},
        supports_check_mode=True,
    )
    directory = module.params["directory"]
    if directory and not os.path.isdir(directory):
        module.fail_json(msg=f"directory: there is no such directory on the node (got {directory})")
    users = []
    for name in module.params["users"]:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            module.fail_json(msg=f"users: there is no such user on the node (got {name})")
        users.append((name, entry.pw_uid, entry.pw_dir))

    def run(command):
        if not module.get_bin_path(command[0]):
            return 127, "", f"{command[0]} is not installed"
        return module.run_command(command, environ_update={"LC_ALL": "C"}, errors="replace")

    node = read(Tree("/"), os.uname().machine, module.get_bin_path, run, users, directory)
    module.exit_json(changed=False, node=node)


if __name__ == "__main__":
    main()
