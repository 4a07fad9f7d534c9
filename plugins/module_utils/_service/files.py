# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that are ours: compared, written beside the old one, renamed."""

from __future__ import annotations

import os
import tempfile

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import remove, sync_directory
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

MARK = "# Made by the collection prositronic.infra"
"""How each rendered file begins (plugin_utils/_deploy/mark.py writes it)."""


def content_of(path):
    """The text of a file, None where there is none."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InfraError("the file can't be read", path, str(error)) from None


def mode_of(path):
    """As octal text of four digits, None where there is no file."""
    try:
        return f"{os.stat(path).st_mode & 0o7777:04o}"
    except FileNotFoundError:
        return None


def refuse_foreign(files, known):
    """Raises InfraError for a file that is there, was not written by us before (C(known): paths), and does not say that it is ours."""
    for file in files:
        text = None if file.path in known else content_of(file.path)
        if text is not None and not text.startswith(MARK):
            raise InfraError(
                "the file is there and is not ours", file.path, expected=f"no file, or one that begins with '{MARK}'",
                fix="Move it away, or give the server another name",
            )  # fmt: skip


def write(path, content, mode, owner=None):
    """The whole file or the old one, also after a power loss. C(owner): (uid, gid)."""
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=directory, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), int(mode, 8))
            if owner is not None:
                os.fchown(stream.fileno(), *owner)
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        remove(beside)
        raise
    sync_directory(directory)


def remove_empty(directory):
    """Remove a directory that holds nothing; one that holds something, or that is not there, stays as it is."""
    try:
        os.rmdir(directory)
    except OSError:
        return


def stage(files, directory):
    """The files in C(directory) under their own names, as they are about to be; the path of the first one."""
    for file in files:
        with open(os.path.join(directory, os.path.basename(file.path)), "w", encoding="utf-8", newline="") as stream:
            stream.write(file.content)
    return os.path.join(directory, os.path.basename(files[0].path))
