# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file for Docker Compose, or for Podman's by CDI."""

from __future__ import annotations

import posixpath

from . import health
from .container import MODELS, TEMPORARY, inside
from .instance import STOP_SECONDS
from .mark import marked
from .quadlet import DEFAULT_USER, PORT, container_groups, environment, numeric_user
from .yaml_text import document, literal

DIRECTORY = "/etc/llama-server"
SECRETS = "/run/secrets"
COMMANDS = {"docker": ["docker", "compose"], "podman": ["podman", "compose"]}


def compose(made):
    """(files, commands, check, requirements, reasons, warnings) of an Instance."""
    path = posixpath.join(folder(made), "compose.yaml")
    command = COMMANDS[made.option["engine"] or "docker"]
    files = [{"path": path, "content": marked(document(literal(composition(made)))), "mode": "0644"}]
    commands = [
        {"argv": [command[0], "pull", made.image], "why": "Starting never pulls: what runs is what was pulled. (Compose's own pull passes over it then.)"},
        {"argv": [*command, "--file", path, "up", "--detach", "--wait", "--wait-timeout", str(made.start_timeout_seconds)], "why": "It returns when healthy."},
    ]
    check = {"argv": [*command, "--file", "%s", "config", "--quiet"], "environment": {}}
    return files, commands, check, _requirements(made), [], _warnings(made)


def composition(made):
    """The file as a dictionary, before quoting."""
    found = {"name": made.unit.lower().replace(".", "-"), "services": {"llama-server": _service(made)}}
    if made.secrets:
        found["secrets"] = {secret.id: {"file": secret_copy(made, secret)} for secret in made.secrets}
    return found


def folder(made):
    return made.option["directory"] or f"{DIRECTORY}/{made.name}"


def secret_copy(made, secret):
    """Compose hands over a file with the owner and the mode that it has on the node; so the role makes one that the user in the container can read."""
    return posixpath.join(folder(made), "secrets", secret.id)


def user_of(made):
    return numeric_user(made.option["user"]) or DEFAULT_USER


def _service(made):
    option, access = made.option, made.access
    volume = {"type": "bind", "source": made.model_directory, "target": MODELS, "read_only": True}
    bind = {"create_host_path": False, **({"selinux": "z"} if option["selinux"] == "relabel" else {})}
    container_groups(option["device_groups"])
    service = {
        "image": made.image,
        "container_name": made.unit,
        "pull_policy": "never",
        "command": made.args(inside(made), "0.0.0.0", PORT, lambda secret: f"{SECRETS}/{secret.id}"),
        "environment": environment(made),
        "ports": [{"target": PORT, "host_ip": made.address.ip, "published": str(made.address.port), "protocol": "tcp", "mode": "host"}],
        "volumes": [{**volume, "bind": bind}],
        "secrets": [{"source": secret.id, "target": secret.id} for secret in made.secrets],
        "user": user_of(made),
        "group_add": option["device_groups"] if access.groups else None,
        "devices": [*([] if _reserved(made) else access.cdi), *(f"{node}:{node}" for node in access.nodes)],
        "deploy": _reservation(made),
        "read_only": True,
        "tmpfs": [TEMPORARY],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", *(["label:disable"] if option["selinux"] == "disabled" else [])],
        "mem_limit": str(made.memory_limit_bytes),
        "ulimits": {"memlock": {"soft": -1, "hard": -1}} if made.locks_memory else None,
        "healthcheck": {
            "test": ["CMD", *health.curl(f"{made.scheme}://127.0.0.1:{PORT}", made.tls)],
            "interval": f"{health.INTERVAL_SECONDS}s",
            "timeout": f"{health.TIMEOUT_SECONDS}s",
            "retries": health.RETRIES,
            "start_period": f"{made.start_timeout_seconds}s",
            # Podman has none, and refuses the file.
            **({} if option["engine"] == "podman" else {"start_interval": f"{health.START_INTERVAL_SECONDS}s"}),
        },
        "restart": "unless-stopped",
        "stop_grace_period": f"{STOP_SECONDS}s",
    }
    return {key: value for key, value in service.items() if value not in (None, [])}


def _reserved(made):
    """Podman's compose passes over reservations without a word (https://github.com/xencon/aixcl/issues/1119)."""
    return made.option["gpu_access"] == "reservation" and made.option["engine"] != "podman" and bool(made.access.uuids)


def _reservation(made):
    if not _reserved(made):
        return None
    return {"resources": {"reservations": {"devices": [{"driver": "nvidia", "device_ids": list(made.access.uuids), "capabilities": ["gpu"]}]}}}


def _requirements(made):
    needs = ["podman 4.1 or newer" if made.option["engine"] == "podman" else "Docker 25 or newer, with Compose 2.24 or newer"]
    if made.access.cdi:
        docker = made.option["engine"] != "podman"
        needs.append("the NVIDIA Container Toolkit" + ("" if _reserved(made) else ", and its CDI specification of the node"))
        if docker and not _reserved(made):
            needs.append("CDI in Docker's daemon: on by default from 28.2 on, before by features.cdi in daemon.json")
    return needs


def _warnings(made):
    warnings = []
    if made.access.groups and not made.option["device_groups"]:
        warnings.append("The GPU's device nodes belong to the groups render and video; give their numbers on the node as device_groups.")
    if made.option["gpu_access"] == "reservation" and not _reserved(made) and made.access.cdi:
        warnings.append("The GPUs are given by CDI and not by a reservation: Podman ignores those, and they need uuids.")
    return warnings
