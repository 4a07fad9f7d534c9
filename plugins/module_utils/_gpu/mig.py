# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MIG instances, the parts that an NVIDIA GPU is divided into, from nvidia-smi. Private: not an interface for other collections.

Only its list has their identities and profiles, and only its XML their memory; both number the instances of a GPU alike.
"""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem

_LIST, _DETAILS = ("nvidia-smi", "-L"), ("nvidia-smi", "-q", "-x")
_GPU = re.compile(r"^GPU \d+: .*\(UUID: (\S+)\)")
_INSTANCE = re.compile(r"^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (\S+)\)")
_MIB = re.compile(r"(\d+) MiB")


def read(programs, parents):
    """(the instances, problems). C(parents): uuid -> Device of each GPU that is divided."""
    programs.start(*_LIST)
    programs.start(*_DETAILS)
    return instances(parents, _listed(programs.run(*_LIST)[1]), _details(programs.run(*_DETAILS)[1]))


def instances(parents, listed, details):
    """The same from what is known of them. C(listed), C(details): see _listed() and _details()."""
    devices, problems = [], []
    for uuid, parent in parents.items():
        found = {}
        for profile, number, instance in listed.get(uuid, ()):
            detail = details.get((uuid, number), {})
            if detail.get("total") is None or detail.get("free") is None:
                problems.append(_unreadable(parent, profile, instance))
                continue
            devices.append(_device(parent, uuid, profile, instance, detail))
            found.setdefault(detail["gpu_instance_id"], []).append(instance)
        if not listed.get(uuid):
            problems.append(_undivided(parent))
        problems += [_shared(parent, names) for names in found.values() if len(names) > 1]
    return devices, problems


def _listed(output):
    """uuid of a GPU -> [(profile, number, uuid of the instance)]."""
    found, current = {}, None
    for line in output.splitlines():
        gpu, instance = _GPU.match(line), _INSTANCE.match(line)
        if gpu:
            current = found.setdefault(gpu.group(1), [])
        elif instance and current is not None:
            current.append((instance.group(1), int(instance.group(2)), instance.group(3)))
    return found


def _details(output):
    """(uuid of a GPU, number) -> the ids and the memory of an instance."""
    found = {}
    try:
        root = ElementTree.fromstring(output.strip())
    except ElementTree.ParseError:
        return found
    for gpu in root.iter("gpu"):
        for instance in gpu.iterfind("mig_devices/mig_device"):
            numbers = {key: _number(instance.findtext(key)) for key in ("index", "gpu_instance_id", "compute_instance_id")}
            memory = {key: _mib(instance.findtext("fb_memory_usage/" + key)) for key in ("total", "free")}
            found[(gpu.findtext("uuid"), numbers.pop("index"))] = {**numbers, **memory}
    return found


def _number(text):
    text = (text or "").strip()
    return int(text) if text.isdecimal() else None


def _mib(text):
    match = _MIB.fullmatch((text or "").strip())
    return None if match is None else int(match.group(1)) * 1024 * 1024


def _device(parent, uuid, profile, instance, detail):
    ids = {key: detail[key] for key in ("gpu_instance_id", "compute_instance_id")}
    return replace(
        parent,
        uuid=instance,
        name=f"{parent.name} MIG {profile}",
        memory_total_bytes=detail["total"],
        # Both are rounded, so the free memory of an empty instance can come out a MiB above the total.
        memory_free_bytes=min(detail["free"], detail["total"]),
        memory_reserved_bytes=None,
        mig={"profile": profile, **ids, "parent_uuid": uuid},
    )


def _unreadable(parent, profile, instance):
    message = f"nothing tells the memory of the MIG instance {profile} {instance} of GPU {parent.pci_bus_id}"
    return Problem("gpu_memory_unreadable", message, "Run 'nvidia-smi -q -x' as root on the host, and see what it says of the instance.")


def _undivided(parent):
    message = f"MIG is enabled on GPU {parent.pci_bus_id}, and it has no instance: nothing can run on it"
    return Problem("mig_without_instances", message, "Make instances with 'nvidia-smi mig -cgi PROFILES -C', or disable MIG with 'nvidia-smi -mig 0'.")


def _shared(parent, instances):
    message = f"the MIG instances {', '.join(instances)} of GPU {parent.pci_bus_id} share one memory, which each of them is told with"
    return Problem("mig_memory_shared", message, "Plan for one of them only, or make a GPU instance for each.")
