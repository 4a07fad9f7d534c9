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
  - Gathers the GPUs of a node that a language model can be planned on, their driver, the container engines that can hand them on,
    and the memory and processor of the host.
  - NVIDIA GPUs are read from C(nvidia-smi), and where that isn't there or can't be run from its library C(libnvidia-ml.so.1) (NVML);
    MIG instances as devices of their own in the place of the GPU that they are parts of; a Jetson without either from the device tree.
    AMD GPUs from what the C(amdgpu) driver shows in C(/sys), and from C(amd-smi) or C(rocm-smi) what is missing there. Intel GPUs from
    C(/sys) or C(xpu-smi), and from the table in C(docs/gpus.md) where neither tells the memory; Macs from C(sysctl) and C(system_profiler).
  - NVIDIA GPUs that no program tells of are devices too, with what their kernel module shows in C(/proc) and the memory of the table in
    C(docs/gpus.md), where their PCI identity stands for one size. They are usable unless something says that their driver doesn't work.
  - Nothing here fails because of a GPU. A GPU that is on the PCI bus and can't be used, or a C(nvidia-smi) that complains or hangs,
    is reported in RV(ansible_facts.gpu.problems) together with what mends it. A node without any GPU has no devices and no problems.
  - GPUs that are only good for a display (graphics in most processors) are reported as a problem with the code V(unsupported_gpu), not as devices.
    Graphics adapters of other vendors, such as the management display of a server, are left out.
options:
  timeout:
    description:
      - For how many seconds to wait for all programs together. C(nvidia-smi) and NVML can hang on a broken GPU.
      - A gathering that meets a program which never answers takes this long, any other less than a second
        where C(nvidia-smi) has not to wake the GPUs (persistence mode).
    type: int
    default: 10
  paths:
    description: Directories whose file systems to tell the free space of. One that isn't there yet counts as the directory that it would be made in.
    type: list
    elements: path
    default: []
  measure:
    description:
      - Whether to find out how fast the RAM is by copying blocks of it for half a second, with 128 MiB for each processor up to 32.
      - Something else that runs makes the figure less, and it isn't the same twice.
    type: bool
    default: false
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
    details: GPUs are found on Linux and macOS. Elsewhere only the facts about the host are gathered, as far as the system tells them.
notes:
  - No privileges are needed. What only root may read is named in a problem with the code V(needs_root).
  - The facts hold no time and no order but that of the PCI bus, so gathering again gives the same facts as long as the memory in use stays the same.
seealso:
  - name: nvidia-smi
    description: The manual of NVIDIA's tool, with the meaning of its fields.
    link: https://docs.nvidia.com/deploy/nvidia-smi/index.html
"""

EXAMPLES = r"""
- name: Gather the GPUs of the node
  prositronic.infra.gpu_facts:

- name: Show the memory of every GPU that can be used
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ (item.memory_total_bytes / 1024 ** 3) | round(1) }} GiB"
  loop: "{{ ansible_facts['gpu'].devices | selectattr('usable') }}"
  loop_control:
    label: "{{ item.index }}"

- name: Gather with the free space for models, and measure the RAM
  prositronic.infra.gpu_facts:
    paths: [/srv/models]
    measure: true

- name: Stop on a node whose GPU can't be used
  ansible.builtin.assert:
    that: ansible_facts['gpu'].problems | rejectattr('code', 'in', ['unsupported_gpu', 'needs_root']) | length == 0
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
          sample: 2
        devices:
          description:
            - The GPUs, in the order of their PCI addresses. Empty where there are none.
            - A GPU that is divided by MIG is not among them where its instances are told.
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
              description: V(nvidia), V(amd), V(intel) or V(apple).
              returned: always
              type: str
              sample: nvidia
            name:
              description: The name of the product, with its PCI identity where nothing tells a name. Of a MIG instance with V(MIG) and its profile after it.
              returned: always
              type: str
              sample: NVIDIA L4
            usable:
              description:
                - Whether it can be planned with. V(false) where its driver doesn't work or nothing tells its memory;
                  RV(ansible_facts.gpu.problems) say why. The planner leaves it out then.
              returned: always
              type: bool
              sample: true
            architecture:
              description:
                - The generation of an NVIDIA GPU, from its compute capability. One of V(maxwell), V(pascal), V(volta), V(turing), V(ampere),
                  V(ada), V(hopper) and V(blackwell).
                - V(null) where that is unknown and for other vendors.
              returned: always
              type: str
              sample: ada
            compute_capability:
              description: The compute capability of an NVIDIA GPU. V(null) for others, and where the driver is too old to tell.
              returned: always
              type: str
              sample: "8.9"
            gfx_target:
              description: The target that code for an AMD GPU is compiled for, such as V(gfx1100). V(null) for others, and where nothing tells it.
              returned: always
              type: str
              sample: null
            gpu_cores:
              description: The number of cores of a GPU of Apple, which tells apart what is sold under one name. V(null) for others.
              returned: always
              type: int
              sample: null
            metal_family:
              description: The newest family of Metal that a GPU of Apple can, such as V(metal4). V(null) for others, and where macOS doesn't tell.
              returned: always
              type: str
              sample: null
            memory_total_bytes:
              description:
                - The memory of the GPU or the MIG instance. With RV(ansible_facts.gpu.devices[].unified_memory) that of the host.
                - V(null) where nothing tells it; such a GPU isn't usable.
              returned: always
              type: int
              sample: 24152899584
            memory_free_bytes:
              description:
                - The memory that nothing uses at the moment.
                - With RV(ansible_facts.gpu.devices[].unified_memory) that of the host, or what the driver lets the GPU have of it where that is
                  less (AMD's GTT, on a Mac C(iogpu.wired_limit_mb) or the usual part).
                - V(null) where only the size is known.
              returned: always
              type: int
              sample: 23665311744
            memory_reserved_bytes:
              description: What the driver and the firmware of an NVIDIA GPU keep of its memory. V(null) where that isn't told, and for other vendors.
              returned: always
              type: int
              sample: 466616320
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
            mig:
              description: What a MIG instance is. V(null) for a whole GPU.
              returned: always
              type: dict
              sample: null
              contains:
                profile:
                  description: Its profile, the slices of the processors and the memory.
                  returned: for a MIG instance
                  type: str
                  sample: 1g.10gb
                gpu_instance_id:
                  description: The number of the GPU instance.
                  returned: for a MIG instance
                  type: int
                  sample: 9
                compute_instance_id:
                  description: The number of the compute instance in it.
                  returned: for a MIG instance
                  type: int
                  sample: 0
                parent_uuid:
                  description: The identity of the GPU that it is a part of.
                  returned: for a MIG instance
                  type: str
                  sample: GPU-9c73eb7b-8d6d-6c0e-dc13-97873e2ede40
            virtual:
              description: Whether it is a vGPU of a virtual machine, by the profile in its name. V(null) for other vendors.
              returned: always
              type: bool
              sample: false
            persistence_mode:
              description: Whether the driver stays loaded while nothing uses the GPU. V(null) where that isn't told.
              returned: always
              type: bool
              sample: true
            ecc:
              description: Whether its memory corrects errors. V(null) where that isn't told.
              returned: always
              type: bool
              sample: true
            pcie_generation:
              description: The newest generation of PCIe that the card and everything between it and the processor can. V(null) where that isn't told.
              returned: always
              type: int
              sample: 4
            pcie_width:
              description: The most PCIe lanes, likewise.
              returned: always
              type: int
              sample: 16
            numa_node:
              description: The NUMA node that it is nearest to. V(null) where the system has none.
              returned: always
              type: int
              sample: 0
            render_node:
              description: The device in C(/dev/dri) that programs compute with. V(null) where the driver has none.
              returned: always
              type: str
              sample: /dev/dri/renderD128
            device_group_ids:
              description:
                - The numbers of the groups of the devices that a program needs for the GPU (of AMD C(/dev/kfd) and the render node, of Intel the render
                  node), for containers, whose images don't know the groups of the host by name.
                - Empty where root alone may, where everybody may, and for other vendors.
              returned: always
              type: list
              elements: int
              sample: [993]
        driver:
          description: The driver beneath the devices, NVIDIA's where there are several. V(null) for what isn't known.
          returned: always
          type: dict
          contains:
            vendor:
              description: V(nvidia), V(amd), V(intel) or V(apple).
              returned: always
              type: str
              sample: nvidia
            version:
              description: Its version, that of the kernel module. V(null) for one that is part of the kernel.
              returned: always
              type: str
              sample: 570.86.15
            library_version:
              description: The version of NVIDIA's libraries that are installed, V(null) where that isn't found out.
              returned: always
              type: str
              sample: 570.86.15
            mismatch:
              description: Whether NVIDIA's libraries and its kernel module are of different versions, so that nothing can use the GPU.
              returned: always
              type: bool
              sample: false
            cuda_max:
              description: The newest CUDA version that the driver runs, V(null) where it tells none.
              returned: always
              type: str
              sample: "12.8"
            uvm:
              description: Whether there is C(/dev/nvidia-uvm), which CUDA needs. V(null) where it doesn't (WSL, Jetson), and without an NVIDIA driver.
              returned: always
              type: bool
              sample: true
            secure_boot:
              description: Whether Secure Boot is on. V(null) where the firmware isn't shown, as without UEFI and in containers.
              returned: always
              type: bool
              sample: false
            other_cards:
              description: The cards that another driver than their vendor's holds, such as C(nouveau) or C(vfio-pci), or none.
              returned: always
              type: list
              elements: dict
              sample: []
              contains:
                pci_bus_id:
                  description: The PCI address.
                  returned: always
                  type: str
                  sample: "0000:02:00.0"
                vendor:
                  description: V(nvidia), V(amd) or V(intel).
                  returned: always
                  type: str
                  sample: nvidia
                ids:
                  description: The numbers of its vendor and its device.
                  returned: always
                  type: str
                  sample: "10de:2684"
                driver:
                  description: The driver that holds it, V(null) for none.
                  returned: always
                  type: str
                  sample: vfio-pci
        platform:
          description: The kind of system, and what can run containers on it.
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
            jetson:
              description: The model of a board with one of NVIDIA's systems on a chip (Jetson, Tegra). V(null) for other systems.
              returned: always
              type: str
              sample: null
            kubernetes_node:
              description: Whether a kubelet was set up here, by the files that kubeadm, K3s, RKE2, k0s, MicroK8s and others leave.
              returned: always
              type: bool
              sample: false
            gpu_operator:
              description: Whether NVIDIA's GPU Operator manages this node, by what its containers leave in C(/run/nvidia) and C(/usr/local/nvidia).
              returned: always
              type: bool
              sample: false
            selinux:
              description: V(enforcing), V(permissive) or V(disabled). V(null) in containers, which are shown nothing of it, and on other systems than Linux.
              returned: always
              type: str
              sample: disabled
            cgroup_version:
              description: The version of the control groups, V(2) or V(1). V(null) where there are none.
              returned: always
              type: int
              sample: 2
            engines:
              description: The container engines that are installed.
              returned: always
              type: list
              elements: dict
              contains:
                name:
                  description: V(podman), V(docker), V(containerd) or V(crio).
                  returned: always
                  type: str
                  sample: podman
                version:
                  description: Its version, of Docker that of the daemon where it is installed here.
                  returned: always
                  type: str
                  sample: 5.4.2
                cdi:
                  description:
                    - Whether it takes CDI devices, by its version and its settings. Podman does since 4.1, CRI-O since 1.23, Docker since 25 where
                      the feature is switched on and since 28.2 unless it is switched off, containerd since 1.7 and 2.0 likewise.
                    - V(null) where its settings can't be read.
                  returned: always
                  type: bool
                  sample: true
                rootless:
                  description: Whether the containers of the user that gathers run without root. V(null) where nothing tells.
                  returned: always
                  type: bool
                  sample: false
            toolkit:
              description: The NVIDIA Container Toolkit, V(null) where it isn't installed.
              returned: always
              type: dict
              contains:
                version:
                  description: Its version.
                  returned: always
                  type: str
                  sample: 1.20.0
                packages:
                  description: The versions of its packages by their names, as the package manager writes them (dpkg, rpm).
                  returned: always
                  type: dict
                  sample:
                    nvidia-container-toolkit: 1.20.0-1
                    libnvidia-container1: 1.20.0-1
            cdi:
              description: The CDI specifications in C(/etc/cdi) and C(/var/run/cdi).
              returned: always
              type: dict
              contains:
                specs:
                  description: Every file.
                  returned: always
                  type: list
                  elements: dict
                  contains:
                    path:
                      description: Where it is.
                      returned: always
                      type: str
                      sample: /var/run/cdi/nvidia.yaml
                    kind:
                      description: The kind of its devices. V(null) where it can't be read.
                      returned: always
                      type: str
                      sample: nvidia.com/gpu
                    devices:
                      description: The names of its devices.
                      returned: always
                      type: list
                      elements: str
                      sample: ["0", all]
                    stale:
                      description:
                        - Whether it names a driver, a GPU or a file that isn't here any more, gives a device in C(/dev) another number than it has here,
                          or leaves a GPU out of C(all).
                        - V(null) where it can't be read.
                      returned: always
                      type: bool
                      sample: false
                    why:
                      description: What makes it stale or unreadable, else V(null).
                      returned: always
                      type: str
                      sample: null
                duplicates:
                  description: The qualified names of devices that more than one file defines.
                  returned: always
                  type: list
                  elements: str
                  sample: []
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
            cores_performance:
              description: The number of cores of the fast kind, on a processor with one kind of cores all of them.
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
            simd:
              description:
                - The vector and matrix instructions that llama.cpp has code for and every processor here has, by the names of the Linux kernel
                  but for V(neon).
                - Empty where the system doesn't tell.
              returned: always
              type: list
              elements: str
              sample: [sse4_2, avx, f16c, fma, avx2]
            hugepages_total_bytes:
              description: The memory that is set aside as huge pages of any size. Nothing else can have it.
              returned: always
              type: int
              sample: 0
            hugepages_free_bytes:
              description: What of that nothing uses.
              returned: always
              type: int
              sample: 0
            memory_bandwidth_bytes_per_second:
              description: How fast all processors together read and write the RAM, measured. V(null) without O(measure).
              returned: always
              type: int
              sample: null
            memory_bandwidth_theoretical_bytes_per_second:
              description:
                - How fast the RAM can be at most, from what the firmware says of its modules (C(/sys/firmware/dmi)). What programs get is some tenths less.
                - V(null) without root, which that is for, in most virtual machines and containers, and where the firmware doesn't tell which modules
                  share a channel.
              returned: always
              type: int
              sample: 307200000000
            memory_type:
              description: The kind of the modules with the megatransfers per second of the slowest, likewise. V(null) also where there are several kinds.
              returned: always
              type: str
              sample: ddr5-4800
            memory_channels:
              description: The number of memory channels of 64 bits, likewise.
              returned: always
              type: int
              sample: 8
            disks:
              description: The file systems of O(paths), in that order.
              returned: always
              type: list
              elements: dict
              sample: []
              contains:
                path:
                  description: The path that was asked for.
                  returned: always
                  type: str
                  sample: /srv/models
                total_bytes:
                  description: The size of the file system. V(null) where it can't be found out.
                  returned: always
                  type: int
                  sample: 1967317549056
                free_bytes:
                  description: What an ordinary user can write there.
                  returned: always
                  type: int
                  sample: 1288490188800
        problems:
          description: What keeps a GPU from being used, alone or in containers, or keeps facts from being gathered. Empty where nothing does.
          returned: always
          type: list
          elements: dict
          contains:
            code:
              description:
                - A fixed name to test for.
                - About a card on the bus V(no_driver), V(driver_not_loaded), V(nouveau), V(other_driver), V(nvidia_smi_missing), V(gpu_not_listed),
                  V(gpu_excluded), V(intel_memory_unknown) or V(unsupported_gpu).
                - About what C(nvidia-smi) says V(driver_not_loaded), V(driver_library_mismatch), V(no_devices), V(gpu_lost), V(gpu_needs_reset),
                  V(gpu_memory_unreadable), V(permission_denied), V(nvidia_library_missing), V(container_lost_gpu), V(wsl_gpu_blocked),
                  V(nvidia_smi_timeout) or V(nvidia_smi_failed).
                - About what NVML says, where there is no C(nvidia-smi), the same, and V(nvml_timeout) or V(nvml_failed).
                - V(device_permission_denied) where the user that gathers may not open what a GPU needs of C(/dev).
                - About MIG V(mig_without_instances) or V(mig_memory_shared), about CUDA V(uvm_missing).
                - About containers V(toolkit_packages_differ), V(cdi_spec_stale), V(cdi_spec_unreadable), V(cdi_devices_duplicate) or
                  V(cdi_version_too_new).
                - V(needs_root) for what only root may read.
              returned: always
              type: str
              sample: nouveau
            message:
              description: What the matter is, with the PCI addresses or the words of C(nvidia-smi).
              returned: always
              type: str
              sample: the nouveau driver, which can't run CUDA, holds the NVIDIA GPU at PCI 0000:01:00.0 (NVIDIA GeForce GTX 1080 Ti, 10de:1b06)
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
        argument_spec={
            "timeout": {"type": "int", "default": 10},
            "paths": {"type": "list", "elements": "path", "default": []},
            "measure": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    timeout = module.params["timeout"]
    if timeout < 1:
        error = InfraError("this is no time to wait for", where="timeout", got=str(timeout), expected="a number of seconds, 1 or more")
        module.fail_json(msg=str(error))
    programs = Programs(lambda name: module.get_bin_path(name, opt_dirs=_FURTHER_DIRECTORIES), timeout)
    module.exit_json(changed=False, ansible_facts={"gpu": gather(programs, paths=module.params["paths"], measure=module.params["measure"])})


if __name__ == "__main__":
    main()
