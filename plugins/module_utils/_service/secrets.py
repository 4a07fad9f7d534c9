# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a container is given of the files that hold keys: Podman's secrets, and copies that its user can read.

Files of keys are root's on a good node, and Compose hands over a file with the owner that it has;
so Compose gets a copy whose owner is the user in the container.
"""

from __future__ import annotations

import os

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import remove
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._service.files import content_of, mode_of, remove_empty, write

MODE = "0400"


def wrong(secret, run, marks):
    """Whether what the server would be given is missing or not what C(secret)'s file holds. C(marks): those of the files it was last given."""
    if secret.copy is not None:
        return _text(secret) != content_of(secret.copy) or mode_of(secret.copy) != MODE or _owner(secret) not in (None, _owned(secret.copy))
    if secret.podman_secret is None:
        return False
    status, _output, _errors = run(["podman", "secret", "inspect", secret.podman_secret])
    return status != 0 or (secret.file is not None and secret.file not in marks)


def give(secret, run):
    """Make the Podman secret or the copy anew. Its text is in no argument: Podman reads the file itself."""
    if secret.copy is not None:
        os.makedirs(os.path.dirname(secret.copy), mode=0o711, exist_ok=True)
        write(secret.copy, _text(secret), MODE, _owner(secret))
        return
    if secret.podman_secret is None:
        return
    if secret.file is None:
        raise InfraError("there is no such Podman secret", secret.podman_secret, fix="Make it with 'podman secret create'")
    _text(secret)
    run(["podman", "secret", "rm", secret.podman_secret])
    status, _output, errors = run(["podman", "secret", "create", secret.podman_secret, secret.file])
    if status != 0:
        raise InfraError("Podman does not take the secret", secret.podman_secret, shown(errors.strip()))


def take(secret, run):
    """Remove what give() made; a Podman secret that was there before it stays."""
    if secret.copy is not None:
        remove(secret.copy)
        remove_empty(os.path.dirname(secret.copy))
    elif secret.podman_secret is not None and secret.file is not None:
        run(["podman", "secret", "rm", secret.podman_secret])


def _text(secret):
    text = content_of(secret.file)
    if text is None:
        raise InfraError("the file does not exist", secret.file)
    return text


def _owner(secret):
    """(uid, gid), or None where we may not choose."""
    if secret.owner is None or os.geteuid() != 0:
        return None
    uid, _colon, gid = secret.owner.partition(":")
    return int(uid), int(gid or 0)


def _owned(path):
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_uid, found.st_gid
