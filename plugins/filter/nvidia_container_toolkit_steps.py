# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter nvidia_container_toolkit_steps."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._toolkit.steps import steps

DOCUMENTATION = r"""
name: nvidia_container_toolkit_steps
short_description: What has to be done on a node to have the NVIDIA Container Toolkit
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Decides everything that the role P(prositronic.infra.nvidia_container_toolkit#role) then does on a node, from what the node has. Changes nothing.
  - The role's variables are these options with the prefix C(nvidia_container_toolkit_).
positional: node
options:
  _input:
    description: C(ansible_facts['gpu']), as M(prositronic.infra.gpu_facts) gathers it.
    type: dict
    required: true
  node:
    description: RV(prositronic.infra.nvidia_container_toolkit_info#module:node), as M(prositronic.infra.nvidia_container_toolkit_info) returns it.
    type: dict
    required: true
  state:
    description:
      - V(absent) for the steps that remove the toolkit, V(verify) for those that only prove it, V(artefacts) for what a node without internet needs.
    type: str
    choices: [present, absent, verify, artefacts]
    default: present
  version:
    description: The one version of all the packages.
    type: str
    default: 1.20.0
  cdi_only:
    description: Install only C(nvidia-container-toolkit-base), which is enough for engines that take CDI devices.
    type: bool
    default: false
  source:
    description:
      - Where the packages come from. V(repository) sets NVIDIA's repository or a mirror of it up, V(configured) uses what is set up on the node already,
        V(directory) takes them from a folder on the node.
    type: str
    choices: [repository, configured, directory]
    default: repository
  repository_url:
    description: The address of the repository, above its folders C(deb) and C(rpm).
    type: str
    default: https://nvidia.github.io/libnvidia-container/stable
  key_url:
    description: Where the repository's key is downloaded from.
    type: str
    default: https://nvidia.github.io/libnvidia-container/gpgkey
  key:
    description: The key itself, armoured, instead of a download.
    type: str
  key_fingerprints:
    description: The fingerprints of the keys that are trusted.
    type: list
    elements: str
    default: [C95B321B61E88C1809C4F759DDCAE044F796ECB0]
  directory:
    description: The folder on the node for O(source=directory).
    type: str
  checksums:
    description: SHA-256 checksums of the package files by name, compared with O(source=directory).
    type: dict
  hold:
    description: Whether the packages are held at their version. V(false) leaves holds as they are.
    type: bool
    default: false
  engines:
    description: The container engines to set up. By default all that are found; containerd beside Docker only on a Kubernetes node.
    type: list
    elements: str
    choices: [podman, docker, containerd, crio]
  runtime:
    description:
      - Whether Docker, containerd and CRI-O are told of NVIDIA's runtime C(nvidia) beside CDI.
      - V(auto) does so for an engine that takes no CDI devices, and for containerd and CRI-O on a Kubernetes node.
    type: str
    choices: [auto, always, never]
    default: auto
  default_runtime:
    description: Whether it becomes the default runtime.
    type: bool
    default: false
  docker_rootless_users:
    description: Users whose rootless Docker is set up too.
    type: list
    elements: str
  restart:
    description:
      - When an engine whose settings change may be restarted. V(idle) as long as it runs no container, V(unless_gpu) as long as it runs none with a GPU.
    type: str
    choices: [never, idle, unless_gpu, always]
    default: idle
  selinux_boolean:
    description: Whether the SELinux boolean C(container_use_devices) is switched on, which lets all containers use devices.
    type: bool
    default: false
  verify_image:
    description: An image in which C(nvidia-smi) is run to prove that containers see the GPUs. Empty for no such proof.
    type: str
  allow_upgrade:
    description: Whether an installed toolkit may be replaced by a newer one.
    type: bool
    default: false
  allow_downgrade:
    description: Whether an installed toolkit may be replaced by an older one.
    type: bool
    default: false
  allow_no_gpu:
    description: Whether the toolkit is installed on a node whose GPU can't be seen, as when an image for nodes is made.
    type: bool
    default: false
  allow_overwrite:
    description: Whether settings of an engine that have another value are changed.
    type: bool
    default: false
  remove_old_repositories:
    description: Whether other files that set up the toolkit's repository are removed.
    type: bool
    default: false
  remove_stale_cdi_specs:
    description: Whether CDI specifications of NVIDIA GPUs in C(/etc/cdi), which nothing refreshes, are removed.
    type: bool
    default: false
  remove_oci_hook:
    description: Whether the OCI hook of earlier releases is removed.
    type: bool
    default: false
seealso:
  - module: prositronic.infra.gpu_facts
  - module: prositronic.infra.nvidia_container_toolkit_info
"""

EXAMPLES = r"""
- name: Ask what the node has
  prositronic.infra.nvidia_container_toolkit_info:
  register: toolkit

- name: Show what would be done
  ansible.builtin.debug:
    msg: "{{ ansible_facts['gpu'] | prositronic.infra.nvidia_container_toolkit_steps(toolkit.node, version='1.20.0', hold=true) }}"
"""

RETURN = r"""
_value:
  description: The steps, in the order they are done.
  type: dict
  contains:
    schema:
      description: The version of this structure.
      type: int
      sample: 1
    verdict:
      description: V(apply), V(nothing) on a node that needs nothing, or V(refuse).
      type: str
      sample: apply
    reason:
      description: Why nothing is done or why it is refused, with what to do. V(null) for V(apply).
      type: str
    notes:
      description: What a person should know.
      type: list
      elements: str
    repository:
      description: The options of M(prositronic.infra.package_repository), V(null) for none. For O(state=absent) those that remove the repository.
      type: dict
    old_repositories:
      description: Files of other repositories of the toolkit, to remove.
      type: list
      elements: str
    packages:
      description: The options of M(prositronic.infra.pinned_packages) and, as C(change), whether a package changes. V(null) for none.
      type: dict
    remove_files:
      description: Other files to remove.
      type: list
      elements: str
    cdi:
      description: How the CDI specification is made, and whether it has to be made now.
      type: dict
    engines:
      description: For each engine that needs settings these settings, and whether it may be restarted.
      type: list
      elements: dict
    selinux:
      description: The SELinux boolean to set. V(null) for none.
      type: dict
    artefacts:
      description: For O(state=artefacts) the options of M(prositronic.infra.package_index_info).
      type: dict
    proofs:
      description: Commands that prove that containers see the GPUs.
      type: list
      elements: dict
"""


@plain_filter
def nvidia_container_toolkit_steps(facts, node, **options):
    return steps(facts, node, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"nvidia_container_toolkit_steps": nvidia_container_toolkit_steps}
