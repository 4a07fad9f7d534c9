# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A release of llama.cpp: whole, or not at all."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._service import archive


def packed(path, members):
    """A tar archive of (name, content or link target or None for a folder, kind)."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, 0o755
            if kind == tarfile.REGTYPE:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                member.linkname = content or ""
                tar.addfile(member)
    return hashlib.sha256(path.read_bytes()).hexdigest()


RELEASE = [
    ("llama-b11312", None, tarfile.DIRTYPE),
    ("llama-b11312/llama-server", b"#!/bin/sh\n", tarfile.REGTYPE),
    ("llama-b11312/libggml.so.0.1", b"ELF", tarfile.REGTYPE),
    ("llama-b11312/libggml.so", "libggml.so.0.1", tarfile.SYMTYPE),
]


@pytest.mark.parametrize("folder", ["llama-b11312/", "", "build/bin/"])
def test_what_lies_beside_the_program_is_installed(tmp_path, folder):
    members = [(name.replace("llama-b11312/", folder), content, kind) for name, content, kind in RELEASE if kind != tarfile.DIRTYPE]
    digest = packed(tmp_path / "a.tgz", members)
    target = tmp_path / "opt" / "b11312"
    archive.check_sum(str(tmp_path / "a.tgz"), digest)
    archive.install(str(tmp_path / "a.tgz"), digest, str(target), "llama-server")
    assert sorted(path.name for path in target.iterdir()) == [archive.NOTE, "libggml.so", "libggml.so.0.1", "llama-server"]
    assert (target / "libggml.so").read_bytes() == b"ELF"
    assert archive.installed(str(target), "llama-server") == digest
    assert sorted(path.name for path in target.parent.iterdir()) == ["b11312"]


def test_another_release_takes_the_place_of_the_old_one(tmp_path):
    for content in (b"old", b"new"):
        digest = packed(tmp_path / "a.tgz", [("llama-server", content, tarfile.REGTYPE)])
        archive.install(str(tmp_path / "a.tgz"), digest, str(tmp_path / "opt"), "llama-server")
    assert (tmp_path / "opt" / "llama-server").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz", "opt"]
    assert archive.remove(str(tmp_path / "opt"))
    assert not archive.remove(str(tmp_path / "opt"))


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (("../llama-server", b"x", tarfile.REGTYPE), "reaches out"),
        (("/etc/llama-server", b"x", tarfile.REGTYPE), "reaches out"),
        (("lib.so", "/etc/passwd", tarfile.SYMTYPE), "links out"),
        (("lib.so", "../../etc/passwd", tarfile.SYMTYPE), "links out"),
        (("pipe", None, tarfile.FIFOTYPE), "no file"),
    ],
)
def test_what_would_harm_is_refused_and_leaves_nothing(tmp_path, member, says):
    digest = packed(tmp_path / "a.tgz", [("llama-server", b"x", tarfile.REGTYPE), member])
    with pytest.raises(InfraError, match=says):
        archive.install(str(tmp_path / "a.tgz"), digest, str(tmp_path / "opt" / "b1"), "llama-server")
    assert list((tmp_path / "opt").iterdir()) == []


def test_an_archive_without_the_program(tmp_path):
    digest = packed(tmp_path / "a.tgz", [("readme", b"x", tarfile.REGTYPE)])
    with pytest.raises(InfraError, match="holds no llama-server"):
        archive.install(str(tmp_path / "a.tgz"), digest, str(tmp_path / "opt" / "b1"), "llama-server")


def test_a_damaged_archive(tmp_path):
    packed(tmp_path / "a.tgz", RELEASE)
    whole = (tmp_path / "a.tgz").read_bytes()
    (tmp_path / "a.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InfraError, match="can't be unpacked"):
        archive.install(str(tmp_path / "a.tgz"), "0" * 64, str(tmp_path / "opt" / "b1"), "llama-server")
    with pytest.raises(InfraError, match="another checksum"):
        archive.check_sum(str(tmp_path / "a.tgz"), "0" * 64)


def test_a_directory_of_somebody_else_stays(tmp_path):
    (tmp_path / "theirs").write_text("", encoding="utf-8")
    with pytest.raises(InfraError, match="not ours"):
        archive.installed(str(tmp_path), "llama-server")
