# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the filter llama_server_manifests rendered for a server, checked and with full paths."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

TARGETS = ("quadlet", "compose", "systemd")
SOURCE = "what the filter prositronic.infra.llama_server_manifests returns"


@dataclass(frozen=True)
class File:
    """C(mode) as octal text."""

    path: str
    content: str
    mode: str


@dataclass(frozen=True)
class Secret:
    """C(file): where it is read from, None for a Podman secret that is not ours. C(podman_secret) or C(copy): what the server is given."""

    id: str
    file: str | None
    podman_secret: str | None
    copy: str | None
    owner: str | None


@dataclass(frozen=True)
class Deployment:
    """C(files)[0] is the one that C(check) is about. C(scope): the systemd that runs it. C(engine): Compose's.

    C(program): what has to be there, C(release): the directory of ours that it is in.
    """

    target: str
    name: str
    unit: str
    url: str
    image: str | None
    engine: str | None
    scope: str
    program: str | None
    release: str | None
    files: tuple[File, ...]
    secrets: tuple[Secret, ...]
    check: dict
    start_timeout_seconds: int

    @property
    def paths(self):
        return tuple(file.path for file in self.files)

    def plain(self):
        return asdict(self)


def deployment(value, where="manifests"):
    """The Deployment for a dictionary, or for what plain() gave. Raises InfraError for anything else."""
    if not isinstance(value, dict):
        raise InfraError("not a rendered server", where, shown(value), SOURCE)
    try:
        binary = value.get("binary")
        made = Deployment(
            target=value["target"],
            name=value["name"],
            unit=value["unit"],
            url=value["url"],
            image=value["image"],
            engine=value["engine"],
            scope=value["scope"],
            program=binary["path"] if binary else value.get("program"),
            release=binary["directory"] if binary else value.get("release"),
            files=tuple(File(os.path.expanduser(item["path"]), item["content"], item["mode"]) for item in value["files"]),
            secrets=tuple(Secret(*(item[key] for key in ("id", "file", "podman_secret", "copy", "owner"))) for item in value["secrets"]),
            check={"argv": list(value["check"]["argv"]), "environment": dict(value["check"]["environment"])},
            start_timeout_seconds=int(value["start_timeout_seconds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InfraError("not a rendered server", where, f"{type(error).__name__}: {error}", SOURCE) from None
    if made.target not in TARGETS or not made.files or not all(os.path.isabs(path) for path in made.paths):
        raise InfraError("not a rendered server", where, shown([made.target, list(made.paths)]), SOURCE)
    return made
