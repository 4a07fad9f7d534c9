# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.modules import container_engine_config

from . import process

SETTINGS = [{"path": ["features", "cdi"], "value": True}]


@pytest.fixture
def run(tmp_path):
    def go(text=None, **arguments):
        path = tmp_path / "etc" / "daemon.json"
        if text is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o640)
        given = {"path": str(path), "format": "json", "settings": SETTINGS, "_ansible_remote_tmp": str(tmp_path), **arguments}
        return path, process.run_module(container_engine_config, given)

    return go


def test_a_file_is_changed_with_a_copy_and_its_rights(run):
    path, result = run('{"debug": true}')
    assert result["changed"] and result["differs"] and not result["created"]
    assert json.loads(path.read_text()) == {"debug": True, "features": {"cdi": True}}
    assert path.stat().st_mode & 0o777 == 0o640
    with open(result["backup_file"]) as copy:
        assert copy.read() == '{"debug": true}'
    assert (result["diff"]["before"], result["diff"]["after"]) == ('{"debug": true}', path.read_text())
    assert run()[1]["changed"] is False


def test_check_mode_says_the_same_and_writes_nothing(run):
    path, result = run('{"debug": true}', _ansible_check_mode=True)
    assert result["changed"] and "cdi" in result["diff"]["after"]
    assert [file.name for file in path.parent.iterdir()] == ["daemon.json"] and path.read_text() == '{"debug": true}'
    missing = path.parent / "none" / "daemon.json"
    assert run(path=str(missing), _ansible_check_mode=True)[1]["created"]
    assert not missing.parent.exists()


def test_a_file_that_is_not_there_is_made(run):
    path, result = run()
    assert result["created"] and result["backup_file"] is None
    assert json.loads(path.read_text()) == {"features": {"cdi": True}}


def test_a_conflict_names_the_file_and_changes_nothing(run):
    path, result = run('{"features": {"cdi": false}}')
    assert result["failed"] and result["msg"].startswith(f"{path}: features.cdi: another value is set already (got False, expected True)")
    assert path.read_text() == '{"features": {"cdi": false}}'
    assert run(overwrite=True)[1]["changed"]


@pytest.mark.parametrize("check", [False, True])
def test_a_file_that_the_engine_refuses_is_not_used(run, check):
    command = ["/bin/sh", "-c", "grep -q debug %s && echo no such key >&2 && exit 1"]
    path, result = run('{"debug": true}', validate=command, _ansible_check_mode=check)
    assert result["failed"] and "no such key" in result["msg"]
    assert [file.name for file in path.parent.iterdir()] == ["daemon.json"] and path.read_text() == '{"debug": true}'


def test_a_link_stays_a_link(run, tmp_path):
    target = tmp_path / "elsewhere.json"
    target.write_text("{}")
    link = tmp_path / "daemon.json"
    link.symlink_to(target)
    assert run(path=str(link))[1]["changed"]
    assert link.is_symlink() and "cdi" in target.read_text()


def test_settings_are_removed_again(run):
    path, _result = run('{"debug": true}')
    assert run(state="absent")[1]["changed"]
    assert json.loads(path.read_text()) == {"debug": True}
    assert run(state="absent")[1]["changed"] is False


def test_toml(run, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("# a\nversion = 2\n")
    assert run(path=str(path), format="toml", settings=[{"path": ["plugins", "a.b", "c"], "value": True}])[1]["changed"]
    assert path.read_text() == '# a\nversion = 2\n\n[plugins."a.b"]\nc = true\n'
