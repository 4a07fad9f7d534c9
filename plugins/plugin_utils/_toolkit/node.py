# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node as the rules see it, made of the facts about it. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.versions import numbers

# Problems of the facts that mean an NVIDIA GPU is there, or should be, and can't be used.
_UNUSABLE = {
    "no_driver", "driver_not_loaded", "nouveau", "other_driver", "nvidia_smi_missing", "driver_library_mismatch", "no_devices", "gpu_lost",
    "gpu_memory_unreadable", "gpu_needs_reset", "permission_denied", "nvidia_library_missing", "nvidia_smi_timeout", "nvidia_smi_failed", "nvml_timeout",
    "nvml_failed",
}  # fmt: skip


@dataclass(frozen=True)
class Engine:
    """A container engine. C(version) as numbers; C(cdi): whether it takes CDI devices as it is set up now, None where unknown."""

    name: str
    version: tuple
    told_version: str
    cdi: bool | None


@dataclass(frozen=True)
class Node:
    """C(gpus): their names. C(problems): what keeps a GPU from being used. C(info): what nvidia_container_toolkit_info tells."""

    gpus: tuple
    problems: tuple
    wsl: bool
    jetson: str | None
    kubernetes_node: bool
    gpu_operator: bool
    engines: tuple
    cdi_specs: tuple
    info: dict

    @property
    def has_gpu(self):
        return bool(self.gpus) or self.jetson is not None


def node(facts, info):
    """A Node. Raises InfraError for dictionaries that are not these facts."""
    if not isinstance(facts, dict) or "engines" not in facts.get("platform", {}):
        raise InfraError("not the facts about GPUs", where="input", got=shown(facts), expected="ansible_facts['gpu'] of prositronic.infra.gpu_facts")
    if not isinstance(info, dict) or "system" not in info or "daemons" not in info:
        raise InfraError("not what a node has of the toolkit", "node", shown(info), "node, as prositronic.infra.nvidia_container_toolkit_info returns it")
    platform = facts["platform"]
    # Without nvidia-smi and its library the kernel module tells of GPUs, but the toolkit can make no specification for them.
    told = not any(one["code"] == "nvidia_smi_missing" for one in facts["problems"])
    return Node(
        gpus=tuple(device["name"] for device in facts["devices"] if device["vendor"] == "nvidia" and device.get("usable", True) and told),
        problems=tuple(one for one in facts["problems"] if one["code"] in _UNUSABLE and "amd" not in one["message"].lower()),
        wsl=platform["wsl"],
        jetson=platform["jetson"],
        kubernetes_node=platform["kubernetes_node"],
        gpu_operator=platform["gpu_operator"],
        engines=tuple(Engine(one["name"], numbers(one["version"]), one["version"], one["cdi"]) for one in platform["engines"]),
        cdi_specs=tuple(platform["cdi"]["specs"]),
        info=info,
    )
