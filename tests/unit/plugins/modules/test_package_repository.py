# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module with programs of its own in place of the package managers', which see whether they are asked about nothing but the new repository."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.prositronic.infra.plugins.modules import package_repository

from . import process

KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawdfkhYJKwYBBAHaRw8BAQdA8AfM+NvprvbFbxVsX7BhpNpRdeuT9UHT6Zr/
2/6TPOO0G05vYm9keSA8bm9ib2R5QGV4YW1wbGUuY29tPoiQBBMWCAA4FiEElNSR
y+oFZAdF0+6c7dkBNKXQVmUFAmsHX5ICGwMFCwkIBwIGFQoJCAsCBBYCAwECHgEC
F4AACgkQ7dkBNKXQVmXeswEAvTMGY8HvnyAib4EjU8JtoLGwUrklKMKAOdjawMZe
6nQBAP2ybmTlO19bbCgGlnwaaXAZ7WU96DkPLV+rGMZkEz4L
=v5f2
-----END PGP PUBLIC KEY BLOCK-----
"""
FINGERPRINT = "94D491CBEA05640745D3EE9CEDD90134A5D05665"
# Fails with the file "unsigned", and where it would read another place than the one of the trial.
MANAGER = """#!/bin/sh
echo "$(basename $0) $*" >>@PLACE@/calls
case "$*" in *@PLACE@/etc*) echo "reads the system's own files" >&2; exit 1 ;; esac
[ ! -e @PLACE@/unsigned ] || { echo "E: is not signed" >&2; exit 100; }
"""
# Knows the keys in a file, as RPM's database does.
RPM = """#!/bin/sh
case "$*" in
    *--root*) echo "rpm $*" >>@PLACE@/calls ;;
    *--import*) printf 'gpg-pubkey-a5d05665-6b075f92\\n' >@PLACE@/rpm; cat "$2" >>@PLACE@/rpm ;;
    *--erase*) rm @PLACE@/rpm ;;
    *) [ -e @PLACE@/rpm ] && cat @PLACE@/rpm || { echo "package gpg-pubkey is not installed"; exit 1; } ;;
esac
"""


class Node:
    def __init__(self, place):
        self.place = place
        (place / "bin").mkdir()
        for name, text in (("apt-get", MANAGER), ("dnf", MANAGER), ("zypper", MANAGER), ("rpm", RPM)):
            program = place / "bin" / name
            program.write_text(text.replace("@PLACE@", str(place)))
            program.chmod(0o755)
        self.file, self.key = place / "etc" / "repos" / "x.repo", place / "etc" / "keys" / "x.asc"
        self.content = f"key={self.key}\n"

    def run(self, **arguments):
        (self.place / "calls").write_text("")
        given = {
            "manager": "apt", "path": str(self.file), "content": self.content, "key_path": str(self.key), "key": KEY, "fingerprints": [FINGERPRINT],
            "_ansible_remote_tmp": str(self.place), **arguments,
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value is not None}
        return process.run_module(package_repository, given, PATH=f"{self.place / 'bin'}:/usr/bin:/bin", TMPDIR=str(self.place))

    @property
    def calls(self):
        return (self.place / "calls").read_text()

    @property
    def written(self):
        return sorted(path.name for path in (self.place / "etc").rglob("*") if path.is_file())


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


@pytest.mark.parametrize(("manager", "read"), [("apt", "apt-get update"), ("dnf", "makecache"), ("zypper", "refresh")])
def test_it_is_read_alone_then_written_once_and_not_asked_about_again(node, manager, read):
    result = node.run(manager=manager)
    assert result["changed"] and read in node.calls, result
    assert (node.file.read_text(), node.key.read_text()) == (node.content, KEY)
    assert node.key.stat().st_mode & 0o777 == 0o644
    assert node.run(manager=manager, key=None, key_url="http://127.0.0.1:9/gone")["changed"] is False and node.calls == ""
    # Nothing of the trial is left.
    assert not list(node.place.glob("prositronic-infra-*"))


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("manager", ["apt", "dnf", "zypper"])
def test_one_that_is_not_signed_by_the_key_leaves_everything_as_it_was(node, manager, check_mode):
    (node.place / "unsigned").touch()
    result = node.run(manager=manager, _ansible_check_mode=check_mode)
    assert result["failed"] and "x.repo: the repository can't be read with its key, and nothing was changed (got " in result["msg"]
    assert "E: is not signed" in result["msg"]
    assert node.written == [] and not (node.place / "rpm").exists()
    node.file.parent.mkdir(parents=True)
    node.file.write_text("what was there before")
    assert node.run(manager=manager)["failed"] and node.file.read_text() == "what was there before"


def test_check_mode_reads_it_and_writes_nothing(node):
    result = node.run(_ansible_check_mode=True)
    assert result["changed"] and "apt-get update" in node.calls and node.written == []
    assert [one["after"] for one in result["diff"]] == [node.content, "94D4 91CB EA05 6407 45D3 EE9C EDD9 0134 A5D0 5665\n"]
    assert node.run(_ansible_check_mode=True, fingerprints=["A" * 40])["failed"]


def test_another_key_is_not_trusted(node):
    result = node.run(fingerprints=["C95B 321B 61E8 8C18 09C4 F759 DDCA E044 F796 ECB0"])
    assert result["failed"] and "not the expected signing key" in result["msg"]
    assert node.written == [] and node.calls == ""


def test_a_file_that_was_changed_is_put_right(node):
    for path in ("file", "key"):
        node.run()
        getattr(node, path).write_text("other")
        assert node.run()["changed"]
        assert (node.file.read_text(), node.key.read_text()) == (node.content, KEY)


def test_a_download_is_checked_too(node):
    source = node.place / "source.asc"
    source.write_text(KEY)
    assert node.run(key=None, key_url=source.as_uri())["changed"] and node.key.read_bytes() == source.read_bytes()
    node.key.unlink()
    assert "can't be downloaded" in node.run(key=None, key_url=pathlib.Path("/none").as_uri())["msg"]


def test_zypper_trusts_the_key_in_rpm_and_no_other(node):
    node.run(manager="zypper")
    assert "zypper --non-interactive --root " in node.calls and "auto-import" not in node.calls
    assert KEY in (node.place / "rpm").read_text()
    (node.place / "rpm").unlink()
    assert node.run(manager="zypper")["changed"] and (node.place / "rpm").exists()


@pytest.mark.parametrize("manager", ["apt", "zypper"])
def test_all_of_it_is_removed_once(node, manager):
    node.run(manager=manager)
    absent = {"manager": manager, "state": "absent", "content": None, "key": None}
    assert node.run(**absent, _ansible_check_mode=True)["changed"] and len(node.written) == 2
    assert node.run(**absent)["changed"] and node.written == [] and not (node.place / "rpm").exists()
    assert node.run(**absent)["changed"] is False
