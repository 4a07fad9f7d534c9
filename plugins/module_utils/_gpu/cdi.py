# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The CDI specifications on a node: which devices they name, and whether they still fit. Private: not an interface for other collections.

The format is that of https://github.com/cncf-tags/container-device-interface (SPEC.md).
"""

from __future__ import annotations

import json
import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import cdi_nodes, cdi_yaml
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.engines import numbers
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem

# Static ones, and those that are made again at every start of the machine.
_DIRECTORIES = ("/etc/cdi", "/var/run/cdi", "/run/cdi")
_NVIDIA = "nvidia.com/"
_LIBRARY = re.compile(r"/lib(?:cuda|nvidia-ml)\.so\.(\d+\.\d+(?:\.\d+)?)$")
_UUID = re.compile(r"(?:GPU|MIG)-[0-9a-f]{8}-")
# The first engines that read a specification of version 0.7, which the toolkit writes since 1.19.
_READ_0_7 = {"podman": (5, 1), "docker": (26, 1), "containerd": (1, 7, 16), "crio": (1, 30)}

_REFRESH = "Make it again with 'systemctl restart nvidia-cdi-refresh.service' or 'nvidia-ctk cdi generate --output={}'."


def read(tree, driver_version, uuids, engines):
    """(the facts under C(platform.cdi), problems). C(uuids): of the GPUs here, None where they aren't known."""
    specs, problems = [], []
    for path in _paths(tree):
        found, version, problem = _spec(tree, path, driver_version, uuids)
        specs.append(found)
        problems += [problem] if problem else []
        problems += _unreadable_for(engines, path, version) if found["kind"] else []
    duplicates = _duplicates(specs)
    if duplicates:
        paths = ", ".join(spec["path"] for spec in specs if _qualified(spec) & set(duplicates))
        message = f"{paths} define the same CDI devices: {_shortened(duplicates)}"
        problems.append(Problem("cdi_devices_duplicate", message, "Remove the file that is made by hand, and keep the one that is refreshed."))
    return {"specs": specs, "duplicates": duplicates}, tuple(problems)


def _paths(tree):
    seen = []
    for directory in _DIRECTORIES:
        # /var/run is a link to /run on most systems.
        if not any(tree.same(directory, other) for other in seen):
            seen.append(directory)
    return [f"{directory}/{name}" for directory in seen for name in tree.names(directory) if name.endswith((".yaml", ".json"))]


def _spec(tree, path, driver_version, uuids):
    """(the facts about one file, the version of its format, a problem or None)."""
    text = tree.text(path)
    try:
        if text is None:
            raise ValueError("it is for other users only" if path in tree.denied else "it can't be opened")
        spec = json.loads(text) if path.endswith(".json") else cdi_yaml.load(text)
        kind, names = spec["kind"], [device["name"] for device in spec.get("devices") or []]
        if not all(isinstance(item, str) for item in (kind, *names)):
            raise ValueError("its kind and the names of its devices are no texts")
        used, nodes = list(_host_paths(spec)), list(cdi_nodes.of(spec))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"no '{error.args[0]}' in it" if isinstance(error, KeyError) else str(error)
        found = {"path": path, "kind": None, "devices": [], "stale": None, "why": why}
        return found, None, Problem("cdi_spec_unreadable", f"{path} can't be read as a CDI specification: {why}", _REFRESH.format(path))
    why = _why_stale(tree, kind, names, used, nodes, driver_version, uuids)
    problem = Problem("cdi_spec_stale", f"{path} doesn't fit this node any more: {why}", _REFRESH.format(path)) if why else None
    return {"path": path, "kind": kind, "devices": names, "stale": why is not None, "why": why}, str(spec.get("cdiVersion") or ""), problem


def _host_paths(value):
    """The paths on the host that a specification names: of mounts, of hooks, and of device nodes."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "hostPath" and isinstance(item, str):
                yield item
            elif key == "deviceNodes" and isinstance(item, list):
                yield from (cdi_nodes.path_of(node) for node in item if isinstance(node, dict))
            elif key == "hooks" and isinstance(item, list):
                yield from (hook["path"] for hook in item if isinstance(hook, dict) and isinstance(hook.get("path"), str))
            elif isinstance(item, (dict, list)):
                yield from _host_paths(item)
    elif isinstance(value, list):
        for item in value:
            yield from _host_paths(item)


def _why_stale(tree, kind, names, used, nodes, driver_version, uuids):
    """What doesn't fit the node, None where all does."""
    if kind.startswith(_NVIDIA):
        made_for = next((match.group(1) for match in map(_LIBRARY.search, used) if match), None)
        if made_for and driver_version and made_for != driver_version:
            return f"it was made for driver {made_for}, and {driver_version} is loaded"
        gone = [name for name in names if uuids is not None and _UUID.match(name) and name not in uuids]
        if gone:
            return f"there is no {_shortened(gone)}"
    missing = [path for path in used if not tree.exists(path)]
    if missing:
        return f"there is no {_shortened(missing)}"
    return cdi_nodes.why_stale(tree, names, nodes) if kind.startswith(_NVIDIA) else None


def _unreadable_for(engines, path, version):
    """Problems of engines that are older than the version of the file."""
    if numbers(version) < (0, 7):
        return
    for engine in engines:
        first = _READ_0_7[engine["name"]]
        if engine["cdi"] and numbers(engine["version"]) < first:
            yield Problem(
                "cdi_version_too_new",
                f"{engine['name']} {engine['version']} can't read {path}, which is of CDI version {version}",
                f"Update {engine['name']} to {'.'.join(map(str, first))}, or set NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS=no-additional-gids-for-device-nodes "
                "in /etc/nvidia-container-toolkit/nvidia-cdi-refresh.env and make the file again.",
            )


def _qualified(spec):
    return {f"{spec['kind']}={name}" for name in spec["devices"]}


def _duplicates(specs):
    found = [name for spec in specs for name in sorted(_qualified(spec))]
    return sorted({name for name in found if found.count(name) > 1})


def _shortened(names):
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
