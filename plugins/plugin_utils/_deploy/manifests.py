# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that a role writes and runs for one server, as one plain answer."""

from __future__ import annotations

from .compose import compose, secret_copy, user_of
from .container import inside
from .examples import examples
from .instance import instance
from .node_facts import from_facts
from .options import checked
from .quadlet import quadlet
from .systemd_unit import systemd_unit

RENDERERS = {"quadlet": quadlet, "compose": compose, "systemd": systemd_unit}


def manifests(plan, target, options):
    """The answer of the filter llama_server_manifests for a plain plan. Raises InfraError for what can't run, isn't safe, or isn't known to the build."""
    option = checked(target, options)
    option, told = from_facts(target, option, option["facts"])
    made = instance(plan, target, option)
    files, commands, check, requirements, reasons, warnings, *binary = RENDERERS[target](made)
    return {
        "target": target,
        "name": made.name,
        "unit": made.unit,
        "model_path": made.model if target == "systemd" else inside(made),
        "url": made.url,
        "log": _log(made, target),
        "build": made.build,
        "image": made.image,
        "engine": (made.option["engine"] or "docker") if target == "compose" else None,
        "scope": "user" if made.option["rootless"] else "system",
        "binary": binary[0] if binary else None,
        "files": files,
        "secrets": [_secret(made, secret, target) for secret in made.secrets],
        "check": check,
        "commands": commands,
        "start_timeout_seconds": made.start_timeout_seconds,
        "memory_limit_bytes": made.memory_limit_bytes,
        "requirements": requirements,
        "examples": examples(made),
        "reasons": [*told, *made.reasons, *reasons],
        "warnings": [*made.warnings, *warnings],
    }


def _log(made, target):
    """Where llama_server_info finds the log, with the names of its options."""
    if target == "compose":
        return {"unit": None, "scope": None, "container": made.unit, "engine": made.option["engine"] or "docker"}
    return {"unit": f"{made.unit}.service", "scope": "user" if made.option["rootless"] else "system", "container": None, "engine": None}


def _secret(made, secret, target):
    copied = target == "compose"
    return {
        "id": secret.id,
        "file": secret.source,
        "podman_secret": secret.store if target == "quadlet" else None,
        "copy": secret_copy(made, secret) if copied else None,
        "owner": user_of(made) if copied else None,
    }
