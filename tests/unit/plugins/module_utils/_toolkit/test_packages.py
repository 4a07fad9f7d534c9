# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit import packages
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.change import Change, allowed, change
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.versions import order

WANTED = {"a": "1.20.0-1", "b": "1.20.0-1", "c": "1.20.0-1"}


def test_versions_are_compared_as_numbers_and_candidates_come_before():
    versions = ["1.9.0-1", "1.18.0~rc.1-1", "1.18.0~rc.2-1", "1.18.0-1", "1.18.0-2", "1.20.0-1"]
    shuffled = [versions[at] for at in (3, 5, 0, 4, 2, 1)]
    assert sorted(shuffled, key=order) == versions
    with pytest.raises(InfraError):
        order("latest")


def test_what_is_missing_newer_and_older_is_told_apart():
    assert change(WANTED, {"a": "1.19.1-1", "b": "1.21.0-1", "x": "1"}) == Change(install=("c",), upgrade=("a",), downgrade=("b",))
    assert not change(WANTED, WANTED)


@pytest.mark.parametrize(("installed", "kind"), [("1.19.1-1", "upgrade"), ("1.21.0-1", "downgrade")])
def test_a_version_changes_only_when_that_is_allowed(installed, kind):
    needed = change(WANTED, dict.fromkeys(WANTED, installed))
    with pytest.raises(InfraError, match=f"would {kind} packages .*allow_{kind}"):
        allowed(needed, WANTED, dict.fromkeys(WANTED, installed), kind != "upgrade", kind != "downgrade")
    allowed(needed, WANTED, dict.fromkeys(WANTED, installed), kind == "upgrade", kind == "downgrade")


def test_dpkg_tells_what_is_installed_and_held():
    output = "ii |a|1.20.0-1\nhi |b|1.20.0-1\nrc |c|1.20.0-1\nun |d|\n"
    assert packages.installed("apt", output) == ({"a": "1.20.0-1", "b": "1.20.0-1"}, ["b"])


def test_rpm_tells_what_is_installed():
    assert packages.installed("dnf", "a|1.20.0-1\npackage b is not installed\n") == ({"a": "1.20.0-1"}, [])


@pytest.mark.parametrize("manager", ["apt", "dnf", "yum", "zypper"])
def test_each_package_is_named_with_its_version(manager):
    command = packages.install(manager, WANTED, [], False)
    assert [f"{name}{'=' if manager == 'apt' else '-'}1.20.0-1" for name in WANTED] == command[-3:]
    assert packages.install(manager, WANTED, ["/a", "/b"], False)[-2:] == ["/a", "/b"]


def test_what_zypper_holds_is_read_from_its_table():
    table = "\n# | Name      | Type    | Repository\n--+-----------+---------+-----------\n1 | a-package | package | (any)\n2 | b         | package | (any)\n"
    assert {"a-package", "b"} < set(packages.zypper_locks(table))
    assert packages.zypper_locks("There are no package locks defined.\n") == []


@pytest.mark.parametrize("manager", ["apt", "dnf", "yum", "zypper"])
def test_a_trial_uses_only_what_is_in_its_directory(manager):
    path, commands = packages.trial(manager, "/trial", "x.repo", "/trial/x.asc")
    assert path.startswith("/trial/") and path.endswith("/x.repo")
    assert "/trial" in " ".join(commands[-1]) and not any("/etc/" in word.replace(path, "") for command in commands for word in command)
    assert not any("import" in word for word in packages.refresh("zypper", "/x.repo"))


def test_apt_removes_nothing_and_goes_back_only_when_asked():
    assert "--no-remove" in packages.install("apt", WANTED, [], True)
    assert "--allow-downgrades" in packages.install("apt", WANTED, [], True)
    assert "--allow-downgrades" not in packages.install("apt", WANTED, [], False)
