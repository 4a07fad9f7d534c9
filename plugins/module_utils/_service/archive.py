# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A release of llama.cpp: its archive into a directory of its own, whole or not at all."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import tarfile
import tempfile

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import sync_directory
from ansible_collections.prositronic.infra.plugins.module_utils._download.checksum import file_sha256
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

NOTE = ".prositronic.infra"
"""In a directory of ours: the SHA-256 of the archive that it came from."""

MOST_BYTES = 8 * 1024**3
MOST_MEMBERS = 20_000
BLOCK = 1024 * 1024


def installed(directory, program):
    """The SHA-256 of the archive in C(directory), None where it is not there or not whole. Raises InfraError for a directory that is not ours."""
    try:
        with open(os.path.join(directory, NOTE), encoding="ascii") as stream:
            digest = stream.read().strip()
    except FileNotFoundError:
        if os.path.isdir(directory) and os.listdir(directory):
            raise InfraError("the directory holds something that is not ours", directory, fix="Move it away") from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InfraError("the directory can't be read", directory, str(error)) from None
    return digest if os.access(os.path.join(directory, program), os.X_OK) else None


def check_sum(path, sha256):
    """Raises InfraError for a file with another SHA-256."""
    found = file_sha256(path)
    if found != sha256:
        raise InfraError("the archive has another checksum", path, found, sha256, "Check archive_sha256, or where the archive came from")


def install(path, sha256, directory, program):
    """Unpack what lies beside C(program) in the archive. Raises InfraError for an archive without it, or one that reaches out of its directory."""
    parent = os.path.dirname(directory)
    os.makedirs(parent, mode=0o755, exist_ok=True)
    beside = tempfile.mkdtemp(dir=parent, prefix=".new-")
    try:
        _unpack(path, beside, program)
        with open(os.path.join(beside, NOTE), "w", encoding="ascii") as stream:
            stream.write(sha256 + "\n")
        os.chmod(beside, 0o755)
        _replace(beside, directory)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    sync_directory(parent)


def remove(directory):
    """Whether there was one of ours."""
    if not os.path.exists(os.path.join(directory, NOTE)):
        return False
    shutil.rmtree(directory)
    return True


def _replace(new, directory):
    """A rename can't replace a directory that holds something, so the old one is moved away first."""
    old = f"{new}.old"
    there = os.path.isdir(directory)
    if there:
        os.rename(directory, old)
    try:
        os.rename(new, directory)
    except OSError:
        if there:
            os.rename(old, directory)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _unpack(path, target, program):
    try:
        with tarfile.open(path) as archive:
            members = _members(archive, path)
            folder = _folder(members, program, path)
            for member in members:
                name = posixpath.relpath(member.name, folder)
                if not name.startswith(".."):
                    _write(archive, member, os.path.join(target, name), path)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InfraError("the archive can't be unpacked", path, str(error) or type(error).__name__) from None


def _members(archive, path):
    found, size = [], 0
    for member in archive:
        size += member.size
        if len(found) >= MOST_MEMBERS or size > MOST_BYTES:
            raise InfraError("the archive holds too much", path, expected=f"at most {MOST_MEMBERS} files and {MOST_BYTES >> 30} GiB")
        normal = posixpath.normpath(member.name)
        if normal.startswith(("/", "..")):
            raise InfraError("the archive reaches out of its directory", path, shown(member.name))
        member.name = normal
        found.append(member)
    return found


def _folder(members, program, path):
    """The folder in the archive that C(program) lies in: releases differ in it."""
    folders = [posixpath.dirname(member.name) for member in members if posixpath.basename(member.name) == program and member.isfile()]
    if not folders:
        raise InfraError(f"the archive holds no {program}", path)
    return min(folders, key=len) or "."


def _write(archive, member, place, path):
    if member.isdir():
        os.makedirs(place, mode=0o755, exist_ok=True)
        return
    os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
    if member.issym():
        # Libraries are links to their versions, beside them.
        if posixpath.dirname(member.linkname):
            raise InfraError("the archive links out of its directory", path, shown(f"{member.name} -> {member.linkname}"))
        os.symlink(member.linkname, place)
        return
    source = archive.extractfile(member) if member.isfile() or member.islnk() else None
    if source is None:
        raise InfraError("the archive holds something that is no file", path, shown(member.name))
    with source, open(place, "xb") as stream:
        shutil.copyfileobj(source, stream, BLOCK)
        os.fchmod(stream.fileno(), 0o755 if member.mode & stat.S_IXUSR else 0o644)
