# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.modules import openpgp_key

from . import process

EXAMPLE = yaml.safe_load(openpgp_key.EXAMPLES)[0]["prositronic.infra.openpgp_key"]


@pytest.fixture
def run(tmp_path):
    def go(**arguments):
        given = {**EXAMPLE, "path": str(tmp_path / "keys" / "key.asc"), "_ansible_remote_tmp": str(tmp_path), **arguments}
        return tmp_path / "keys" / "key.asc", process.run_module(openpgp_key, {name: value for name, value in given.items() if value is not None})

    return go


def test_a_known_key_is_written_once(run):
    path, result = run()
    assert result["changed"] and path.read_text() == EXAMPLE["content"]
    assert path.stat().st_mode & 0o777 == 0o644
    # Not even asked for again.
    assert run(content=None, url="http://127.0.0.1:9/gone")[1]["changed"] is False


def test_check_mode_looks_at_the_key_and_writes_nothing(run):
    path, result = run(_ansible_check_mode=True)
    assert result["changed"] and not path.exists()
    assert run(_ansible_check_mode=True, fingerprints=["A" * 40])[1]["failed"]


def test_another_key_is_not_written(run):
    path, result = run(fingerprints=["C95B 321B 61E8 8C18 09C4 F759 DDCA E044 F796 ECB0"])
    assert result["failed"] and "not the expected signing key" in result["msg"]
    assert not path.exists()


def test_a_file_that_was_changed_is_put_right(run):
    path, _result = run()
    path.write_text("other")
    assert run()[1]["changed"] and path.read_text() == EXAMPLE["content"]


def test_a_download_is_checked_too(run, tmp_path):
    source = tmp_path / "source.asc"
    source.write_text(EXAMPLE["content"])
    path, result = run(content=None, url=source.as_uri())
    assert result["changed"] and path.read_bytes() == source.read_bytes()
    assert "can't be downloaded" in run(content=None, url=(tmp_path / "none").as_uri(), path=str(tmp_path / "x"))[1]["msg"]
