# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that the facts of the node answer, where they are not given."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .options import WHERE


def from_facts(target, option, facts):
    """(the options with what the facts say, reasons). C(facts): C(ansible_facts['gpu']), None for none."""
    if facts is None:
        return option, ()
    platform = facts.get("platform")
    if not isinstance(platform, dict) or not isinstance(platform.get("engines"), list):
        raise InfraError("not the facts of a node", f"{WHERE}.facts", shown(facts), "ansible_facts['gpu'], as the module gpu_facts returns it")
    engines = {engine.get("name"): engine for engine in platform["engines"] if isinstance(engine, dict)}
    told = {**_CHOOSE[target](engines, option), **_wsl(platform, target), **_groups(facts.get("devices"), target)}
    told = {name: value for name, value in told.items() if option[name] is None}
    return {**option, **{name: value for name, (value, _reason) in told.items()}}, tuple(reason for _value, reason in told.values())


def _quadlet(engines, _option):
    version = (engines.get("podman") or {}).get("version")
    return {"podman_version": (version, f"The node has Podman {version}.")} if version else {}


def _compose(engines, option):
    told = {}
    if "docker" not in engines and "podman" in engines:
        told["engine"] = "podman", "The node has Podman and no Docker."
    docker = engines.get("docker")
    if docker and docker.get("cdi") is False and option["engine"] in (None, "docker"):
        told["gpu_access"] = "reservation", f"Docker {docker.get('version')} of the node takes no CDI devices, so its GPUs are reserved."
    return told


def _systemd(_engines, _option):
    return {}


def _wsl(platform, target):
    """Under WSL there is one device for all GPUs."""
    if not platform.get("wsl") or target == "systemd":
        return {}
    return {"cdi_devices": (["nvidia.com/gpu=all"], "Under WSL the GPUs are one CDI device.")}


def _groups(devices, target):
    """The groups of AMD's and Intel's device nodes by number, as the names mean others in an image; gpu_access.py says whether they are needed."""
    if target == "systemd" or not isinstance(devices, list):
        return {}
    numbers = {number for device in devices if isinstance(device, dict) for number in device.get("device_group_ids") or () if isinstance(number, int)}
    groups = [str(number) for number in sorted(numbers)]
    return {"device_groups": (groups, f"The GPU's device nodes belong to the groups {', '.join(groups)} of the node.")} if groups else {}


_CHOOSE = {"quadlet": _quadlet, "compose": _compose, "systemd": _systemd}
