# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module with programs of its own in place of apt's."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.modules import pinned_packages

from . import process

WANTED = {"a": "2-1", "b": "2-1"}
# Keeps what is installed in a file, as the real ones do. With the file "needs-lists" nothing is installed before all lists were read.
APT = """#!/bin/sh
cd @PLACE@
echo "apt-get $*" >>calls
case "$1" in
    update) case "$*" in *SourceList*) ;; *) rm -f needs-lists ;; esac; [ ! -e update-fails ] || exit 100 ;;
    install)
        [ ! -e needs-lists ] || { echo "E: Unable to correct problems" >&2; exit 100; }
        for word; do case "$word" in [ab]=*) grep -v "|${word%%=*}|" installed >new; echo "ii |${word%%=*}|${word#*=}" >>new; mv new installed ;; esac; done ;;
esac
"""
QUERY = """#!/bin/sh
cat @PLACE@/installed
"""
MARK = """#!/bin/sh
cd @PLACE@
echo "apt-mark $*" >>calls
[ "$1" = hold ] && to=hi || to=ii
sed -i "s/^.. |$2|/$to |$2|/" installed
"""


class Node:
    def __init__(self, place):
        self.place = place
        for name, text in (("apt-get", APT), ("dpkg-query", QUERY), ("apt-mark", MARK)):
            program = place / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(text.replace("@PLACE@", str(place)))
            program.chmod(0o755)
        self.has({})

    def has(self, versions):
        (self.place / "installed").write_text("".join(f"ii |{name}|{version}\n" for name, version in versions.items()))

    def run(self, **arguments):
        (self.place / "calls").write_text("")
        given = {"manager": "apt", "packages": WANTED, "_ansible_remote_tmp": str(self.place), **arguments}
        return process.run_module(pinned_packages, given, PATH=f"{self.place / 'bin'}:/usr/bin:/bin")

    @property
    def calls(self):
        return (self.place / "calls").read_text()


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_all_are_installed_in_one_call_and_then_left_alone(node):
    result = node.run(repository="/etc/apt/sources.list.d/x.sources")
    assert result["changed"] and result["after"] == WANTED
    assert "Dir::Etc::SourceList=/etc/apt/sources.list.d/x.sources" in node.calls
    assert node.calls.count("apt-get install") == 1 and "a=2-1 b=2-1" in node.calls
    assert node.run()["changed"] is False and node.calls == ""


def test_check_mode_knows_it_without_asking_any_repository(node):
    node.has({"a": "2-1"})
    result = node.run(_ansible_check_mode=True)
    assert result["changed"] and node.calls == ""
    assert (result["diff"]["before"], result["diff"]["after"]) == ("a 2-1\n", "a 2-1\nb 2-1\n")


@pytest.mark.parametrize(("installed", "kind"), [("1-1", "upgrade"), ("3-1", "downgrade")])
def test_another_version_is_left_unless_it_may_change(node, installed, kind):
    node.has({"a": installed})
    assert f"allow_{kind}" in node.run()["msg"] and node.calls == ""
    assert node.run(**{f"allow_{kind}": True})["changed"]


def test_lists_that_were_never_read_are_read(node):
    (node.place / "needs-lists").touch()
    assert node.run(repository="/x")["changed"]
    assert node.calls.count("apt-get install") == 2


def test_a_list_that_can_not_be_read_ends_it(node):
    (node.place / "update-fails").touch()
    assert "'apt-get update' failed" in node.run(repository="/x")["msg"]
    assert "install" not in node.calls


# Locks in a file, and as with the real one nothing changes what is locked.
ZYPPER = """#!/bin/sh
cd @PLACE@
echo "zypper $*" >>calls
touch locks
case "$*" in
    *" locks") awk '{ print NR " | " $1 " | package | (any)" }' locks ;;
    *addlock*) for word; do :; done; echo "$word" >>locks ;;
    *removelock*) for word; do :; done; grep -vx "$word" locks >new; mv new locks ;;
    *install*)
        [ ! -s locks ] || { echo "locked" >&2; exit 4; }
        [ ! -e install-fails ] || exit 104
        for word; do case "$word" in [ab]-[0-9]*) echo "${word%%-*}|${word#*-}" ;; esac; done >installed ;;
esac
"""


@pytest.fixture
def suse(node):
    for name, text in (("zypper", ZYPPER), ("rpm", QUERY)):
        program = node.place / "bin" / name
        program.write_text(text.replace("@PLACE@", str(node.place)))
        program.chmod(0o755)
    (node.place / "installed").write_text("a|1-1\nb|1-1\n")
    return node


@pytest.mark.parametrize("fails", [False, True])
def test_what_zypper_holds_is_let_go_for_the_change_and_then_held_again(suse, fails):
    (suse.place / "locks").write_text("a\nb\n")
    if fails:
        (suse.place / "install-fails").touch()
    result = suse.run(manager="zypper", allow_upgrade=True)
    assert ("failed" in result) == fails and (suse.place / "locks").read_text() == "a\nb\n"
    assert (suse.place / "installed").read_text() == ("a|1-1\nb|1-1\n" if fails else "a|2-1\nb|2-1\n")


def test_zypper_locks_what_it_is_asked_to_hold_and_lets_it_go_with_the_package(suse):
    assert suse.run(manager="zypper", allow_upgrade=True, hold=True)["changed"] and (suse.place / "locks").read_text() == "a\nb\n"
    assert suse.run(manager="zypper", hold=True)["changed"] is False
    assert suse.run(manager="zypper", state="absent")["changed"] and (suse.place / "locks").read_text() == ""


def test_packages_are_held_and_let_go(node):
    assert node.run(hold=True)["changed"] and "apt-mark hold a" in node.calls
    assert node.run(hold=True)["changed"] is False
    assert node.run(hold=False)["changed"] and "apt-mark unhold b" in node.calls
    assert node.run()["changed"] is False
