#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gather facts about the GPUs of a node and about the host around them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_facts
short_description: Gather facts about the GPUs of a node
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Gathers the GPUs of a node that a language model can be planned on, their driver, and the memory and processor of the host.
  - NVIDIA GPUs are read from C(nvidia-smi), AMD discrete GPUs from what the C(amdgpu) driver shows in C(/sys).
  - Nothing here fails because of a GPU. A GPU that is on the PCI bus and can't be used, or a C(nvidia-smi) that complains or hangs,
    is reported in RV(ansible_facts.gpu.problems) together with what mends it. A node without any GPU has no devices and no problems.
  - GPUs of other kinds (Intel, integrated AMD) are reported as a problem with the code V(unsupported_gpu), not as devices.
    Graphics adapters of other vendors, such as the management display of a server, are left out.
options:
  timeout:
    description:
      - For how many seconds to wait for one answer of C(nvidia-smi), which can hang on a broken GPU.
      - A gathering that meets an C(nvidia-smi) which never answers takes this long.
    type: int
    default: 10
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.facts
attributes:
  check_mode:
    support: full
    details: Gathering changes nothing, so it is the same in check mode.
  diff_mode:
    support: none
  facts:
    support: full
  platform:
    platforms: posix
    details: GPUs are found on Linux. Elsewhere only the facts about the host are gathered, as far as the system tells them.
notes:
  - No privileges are needed.
  - The facts hold no time and no order but that of the PCI bus, so gathering again gives the same facts as long as the memory in use stays the same.
seealso:
  - name: nvidia-smi
    description: The manual of NVIDIA's tool, with the meaning of its fields.
    link: https://docs.nvidia.com/deploy/nvidia-smi/index.html
"""

EXAMPLES = r"""
- name: Gather the GPUs of the node
  prositronic.infra.gpu_facts:

- name: Show the memory of every GPU
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ (item.memory_total_bytes / 1024 ** 3) | round(1) }} GiB"
  loop: "{{ ansible_facts['gpu'].devices }}"
  loop_control:
    label: "{{ item.index }}"

- name: Stop on a node whose GPU can't be used
  ansible.builtin.assert:
    that: ansible_facts['gpu'].problems | rejectattr('code', 'eq', 'unsupported_gpu') | length == 0
    fail_msg: "{{ ansible_facts['gpu'].problems | map(attribute='message') | join('; ') }}"

- name: Gather the GPUs together with the usual facts
  hosts: gpu_nodes
  gather_facts: true
  vars:
    ansible_facts_modules:
      - ansible.builtin.setup
      - prositronic.infra.gpu_facts
  tasks:
    - name: Use them
      ansible.builtin.debug:
        var: ansible_facts['gpu'].devices | length
"""

RETURN = r"""
ansible_facts:
  description: The facts to add to C(ansible_facts).
  returned: always
  type: dict
  contains:
    gpu:
      description: What the node has.
      returned: always
      type: dict
      contains:
        schema:
          description: The version of the shape of these facts.
          returned: always
          type: int
          sample: 1
        devices:
          description: The GPUs that can be planned with, in the order of their PCI addresses. Empty where there are none.
          returned: always
          type: list
          elements: dict
          contains:
            index:
              description: The position in this list.
              returned: always
              type: int
              sample: 0
            uuid:
              description: The identity of the GPU, V(null) where it tells none.
              returned: always
              type: str
              sample: GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34
            pci_bus_id:
              description: The PCI address as C(/sys) writes it, V(null) for a GPU that is on no PCI bus.
              returned: always
              type: str
              sample: "0000:01:00.0"
            vendor:
              description: V(nvidia) or V(amd).
              returned: always
              type: str
              sample: nvidia
            name:
              description: The name of the product, for AMD its PCI identity where the card tells no name.
              returned: always
              type: str
              sample: NVIDIA L4
            architecture:
              description:
                - The generation of an NVIDIA GPU, from its compute capability. One of V(maxwell), V(pascal), V(volta), V(turing), V(ampere),
                  V(ada), V(hopper) and V(blackwell).
                - V(null) where that is unknown and for AMD.
              returned: always
              type: str
              sample: ada
            compute_capability:
              description: The compute capability of an NVIDIA GPU. V(null) for AMD, and where the driver is too old to tell.
              returned: always
              type: str
              sample: "8.9"
            gfx_target:
              description: The target that code for an AMD GPU is compiled for, such as V(gfx1100). V(null) for NVIDIA, and where it can't be read.
              returned: always
              type: str
              sample: null
            memory_total_bytes:
              description: The memory of the GPU. With RV(ansible_facts.gpu.devices[].unified_memory) that of the host.
              returned: always
              type: int
              sample: 24152899584
            memory_free_bytes:
              description: The memory that nothing uses at the moment. With RV(ansible_facts.gpu.devices[].unified_memory) that of the host.
              returned: always
              type: int
              sample: 23665311744
            unified_memory:
              description: Whether the GPU works in the RAM of the host and has no memory of its own.
              returned: always
              type: bool
              sample: false
            display_attached:
              description: Whether a display is drawn by the GPU, V(null) where that is unknown.
              returned: always
              type: bool
              sample: false
        driver:
          description: The driver that answered for the devices, NVIDIA's where there are several. V(null) where none did.
          returned: always
          type: dict
          contains:
            vendor:
              description: V(nvidia) or V(amd).
              returned: always
              type: str
              sample: nvidia
            version:
              description: Its version. V(null) for an C(amdgpu) that is part of the kernel.
              returned: always
              type: str
              sample: 570.86.15
            cuda_max:
              description: The newest CUDA version that the driver runs, V(null) where it tells none.
              returned: always
              type: str
              sample: "12.8"
        platform:
          description: The kind of system.
          returned: always
          type: dict
          contains:
            system:
              description: The name of the operating system.
              returned: always
              type: str
              sample: Linux
            machine:
              description: The name of the processor architecture.
              returned: always
              type: str
              sample: x86_64
            kernel:
              description: The release of the kernel.
              returned: always
              type: str
              sample: 6.8.0-79-generic
            wsl:
              description: Whether it is Linux under Windows (WSL).
              returned: always
              type: bool
              sample: false
            container:
              description: Whether it is a container, by the marks that Docker, Podman, LXC and systemd-nspawn leave.
              returned: always
              type: bool
              sample: false
        host:
          description: The memory and the processor. V(null) for what the system doesn't tell.
          returned: always
          type: dict
          contains:
            memory_total_bytes:
              description: The RAM, or the limit of the control group of this process where that is smaller.
              returned: always
              type: int
              sample: 67314286592
            memory_available_bytes:
              description: The RAM that is available without swapping, or what is left of that limit where that is smaller.
              returned: always
              type: int
              sample: 64424509440
            memory_limit_bytes:
              description: The limit of the control group where it is smaller than the RAM, else V(null).
              returned: always
              type: int
              sample: null
            cores_physical:
              description: The number of processor cores.
              returned: always
              type: int
              sample: 8
            cores_logical:
              description: The number of processor threads.
              returned: always
              type: int
              sample: 16
            cpu:
              description: The name of the processor.
              returned: always
              type: str
              sample: AMD EPYC 7302P 16-Core Processor
            numa_nodes:
              description: The number of NUMA nodes, V(1) on a system without NUMA.
              returned: always
              type: int
              sample: 1
        problems:
          description: What keeps a GPU from being used. Empty where nothing does.
          returned: always
          type: list
          elements: dict
          contains:
            code:
              description:
                - A fixed name to test for.
                - About a card on the bus V(no_driver), V(driver_not_loaded), V(nouveau), V(other_driver), V(nvidia_smi_missing) or V(unsupported_gpu).
                - About what C(nvidia-smi) says V(driver_not_loaded), V(driver_library_mismatch), V(no_devices), V(gpu_lost), V(gpu_memory_unreadable),
                  V(permission_denied), V(nvidia_library_missing), V(nvidia_smi_timeout) or V(nvidia_smi_failed).
              returned: always
              type: str
              sample: nouveau
            message:
              description: What the matter is, with the PCI addresses or the words of C(nvidia-smi).
              returned: always
              type: str
              sample: the nouveau driver, which can't run CUDA, holds the NVIDIA GPU at PCI 0000:01:00.0 (10de:1b06)
            fix:
              description: What mends it.
              returned: always
              type: str
              sample: Install the NVIDIA driver, blacklist nouveau, rebuild the initramfs and reboot the node.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import Programs

# Where WSL puts the nvidia-smi of the Windows driver, ROCm its tools, and K3s and RKE2 their containerd:
# a session without a login shell doesn't have these in its PATH.
_FURTHER_DIRECTORIES = ["/usr/lib/wsl/lib", "/opt/rocm/bin", "/var/lib/rancher/k3s/data/current/bin", "/var/lib/rancher/rke2/bin"]


def main():
    """Gather the facts and hand them to Ansible."""
    module = AnsibleModule(
        argument_spec={"timeout": {"type": "int", "default": 10}},
        supports_check_mode=True,
    )
    timeout = module.params["timeout"]
    if timeout < 1:
        error = InfraError("this is no time to wait for", where="timeout", got=str(timeout), expected="a number of seconds, 1 or more")
        module.fail_json(msg=str(error))
    programs = Programs(lambda name: module.get_bin_path(name, opt_dirs=_FURTHER_DIRECTORIES), timeout)
    module.exit_json(changed=False, ansible_facts={"gpu": gather(programs)})


if __name__ == "__main__":
    main()
