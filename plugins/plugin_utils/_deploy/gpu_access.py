# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a process gets at the GPUs of a plan, and at no others.

NVIDIA's are given to containers by CDI and by uuid: an index is another GPU after a reboot or a new card. Of a MIG instance the uuid does the same.
AMD's and Intel's drivers have device nodes, /dev/kfd and /dev/dri, which belong to the groups render and video.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._backend.kinds import KINDS
from .options import WHERE

NODES = {"nvidia": (), "amd": ("/dev/kfd", "/dev/dri"), "intel": ("/dev/dri",)}
"""Device nodes for a container, for what CDI does not give."""

DEVICE_CLASSES = {"nvidia": ("char-nvidia*",), "amd": ("char-kfd", "char-drm"), "intel": ("char-drm",)}
"""What systemd's DeviceAllow calls them: names in /proc/devices. NVIDIA's driver has several: nvidia, nvidia-uvm, nvidia-caps, nvidiactl."""

CDI_KIND = "nvidia.com/gpu"


@dataclass(frozen=True)
class GpuAccess:
    """C(uuids): of the NVIDIA GPUs, empty where one has none. C(cdi): full names of CDI devices. C(nodes): device nodes for a container.

    C(classes): for DeviceAllow. C(groups): whether the nodes belong to groups that the process has to be in.
    """

    vendors: tuple[str, ...]
    uuids: tuple[str, ...] = ()
    cdi: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    groups: bool = False
    env: dict = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def gpu_access(plan, cdi_devices=None, device_nodes=None):
    """The GpuAccess of a plan. C(cdi_devices), C(device_nodes): what the user says instead. Raises InfraError for a backend that no Linux node has."""
    gpus, backend = plan["node"]["gpus"], plan["backend"]
    if backend == "metal" or any(gpu.get("vendor") == "apple" for gpu in gpus):
        raise InfraError("an Apple GPU is in no container, and macOS has no systemd", WHERE, got=f"a plan for {backend}")
    if not gpus:
        return GpuAccess((), reasons=("No GPU: the plan uses none, so the server sees none.",))
    vendors = tuple(sorted({vendor_of(gpu, backend, WHERE) for gpu in gpus}))
    nvidia = [gpu["uuid"] for gpu in gpus if vendor_of(gpu, backend, WHERE) == "nvidia"]
    uuids = tuple(nvidia) if all(nvidia) else ()
    reasons, warnings = [], []
    cdi = tuple(cdi_devices or (f"{CDI_KIND}={uuid}" for uuid in uuids))
    if nvidia and not cdi:
        cdi = (f"{CDI_KIND}=all",)
        warnings.append("The plan knows no uuid of an NVIDIA GPU, so the container sees all of them; a second one would change the placement.")
    elif uuids and not cdi_devices:
        reasons.append(f"GPUs by uuid: {', '.join(uuids)}. An index could be another GPU after a reboot.")
    nodes = tuple(device_nodes or dict.fromkeys(node for vendor in vendors for node in NODES[vendor]))
    others = [vendor for vendor in vendors if vendor != "nvidia"]
    env = dict(plan["server"]["env"])
    if backend == "rocm" and all(gpu["uuid"] for gpu in gpus):
        env["ROCR_VISIBLE_DEVICES"] = ",".join(gpu["uuid"] for gpu in gpus)
        reasons.append("ROCm is shown the plan's GPUs by uuid.")
    elif others and not device_nodes:
        names = " and ".join({"amd": "AMD", "intel": "Intel"}[vendor] for vendor in others)
        warnings.append(f"{names} GPUs can't be told apart by uuid here: the server sees all of the node's. Name those of the plan with device_nodes.")
    classes = tuple(dict.fromkeys(name for vendor in vendors for name in DEVICE_CLASSES[vendor]))
    return GpuAccess(vendors, uuids, cdi if nvidia else (), nodes, classes, bool(others), env, tuple(reasons), tuple(warnings))


def vendor_of(gpu, backend, where):
    """Whose GPU it is. Raises InfraError where the plan does not say it."""
    vendor = gpu.get("vendor")
    if vendor is None and len(KINDS[backend].vendors) == 1:
        vendor = KINDS[backend].vendors[0]
    if vendor not in NODES:
        raise InfraError("the plan does not say whose GPU it is", where, shown(gpu.get("name")), fix="Make the plan again")
    return vendor
