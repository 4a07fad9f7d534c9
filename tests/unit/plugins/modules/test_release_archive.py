# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module release_archive, from a file on this machine."""

from __future__ import annotations

import hashlib
import tarfile

import pytest

from ansible_collections.prositronic.infra.plugins.modules import llama_server_build, release_archive

from . import process


@pytest.fixture
def run(tmp_path):
    program = tmp_path / "llama-server"
    program.write_text("#!/bin/sh\necho 'version: 0.7.0 (build 11669, commit unknown)' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(program, "llama-b11669/llama-server")
    digest = hashlib.sha256((tmp_path / "a.tar.gz").read_bytes()).hexdigest()

    def go(**arguments):
        given = {"url": f"file://{tmp_path}/a.tar.gz", "sha256": digest, "directory": str(tmp_path / "opt" / "b11669"), "program": "llama-server"}
        return process.run_module(release_archive, {**given, "_ansible_remote_tmp": str(tmp_path), **arguments})

    return go


def test_it_is_installed_once(run, tmp_path):
    assert run(_ansible_check_mode=True)["changed"]
    assert not (tmp_path / "opt").exists()
    done = run()
    assert done["changed"] and done["path"] == str(tmp_path / "opt" / "b11669" / "llama-server")
    assert not run()["changed"]
    assert process.run_module(llama_server_build, {"path": done["path"], "_ansible_remote_tmp": str(tmp_path)})["build"] == 11669


def test_a_program_that_is_gone_is_brought_again(run, tmp_path):
    run()
    (tmp_path / "opt" / "b11669" / "llama-server").unlink()
    assert run()["changed"]
    assert (tmp_path / "opt" / "b11669" / "llama-server").exists()


def test_another_checksum_installs_nothing(run, tmp_path):
    result = run(sha256="0" * 64)
    assert result["failed"] and "another checksum" in result["msg"]
    assert not (tmp_path / "opt").exists()
    assert "not a SHA-256" in run(sha256="abc")["msg"]


def test_an_archive_that_is_not_there(run, tmp_path):
    result = run(url=f"file://{tmp_path}/none.tar.gz")
    assert result["failed"] and "can't be downloaded" in result["msg"]


def test_it_is_removed_once(run, tmp_path):
    run()
    assert run(state="absent", _ansible_check_mode=True)["changed"]
    assert run(state="absent")["changed"]
    assert not (tmp_path / "opt" / "b11669").exists()
    assert not run(state="absent")["changed"]
