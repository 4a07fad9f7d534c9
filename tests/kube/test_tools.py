# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Building the programs: what is said where that can't be done, and that nothing is built twice."""

from __future__ import annotations

import pytest
import tools


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A cache with nothing in it, and a PATH on which only Go may come to be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()

    def with_go(script):
        go = tmp_path / "bin" / "go"
        go.write_text(f"#!/bin/sh\n{script}\n")
        go.chmod(0o755)

    return with_go


def left():
    return [path.name for path in tools.kept().iterdir() if path.name != "lock"]


def test_without_go(empty):
    with pytest.raises(tools.Missing, match=r"there is no Go here\. Install Go 1\.\d+"):
        tools.programs("helm")


@pytest.mark.parametrize(
    "script, message",
    [
        ("echo go1.19.8", r"needs Go 1\.26\S*, and \S+/bin/go is go1\.19\.8\. Install Go 1\.26"),
        ("echo 'go: go.mod requires go >= 1.26.0 (running go 1.24.1; GOTOOLCHAIN=local)' >&2; exit 1", r"(?s)requires go >= 1\.26\.0.*Install Go 1\.26"),
    ],
)
def test_with_an_older_go(empty, script, message):
    empty(script)
    with pytest.raises(tools.Missing, match=message):
        tools.programs("helm")


def test_where_the_proxy_has_nothing(empty):
    empty('[ "$1" = env ] && { echo go1.30; exit; }; echo "module x: reading x: 403 Forbidden" >&2; exit 1')
    with pytest.raises(tools.Missing, match=r"(?s)helm v\S+ cannot be built.*403 Forbidden.*name a proxy that has it in GOPROXY"):
        tools.programs("helm")
    assert left() == []


def test_what_is_built_is_kept(empty, tmp_path):
    empty(f'[ "$1" = env ] && {{ echo go1.30; exit; }}; echo "$@" >> {tmp_path}/built; eval "out=\\${{$(($# - 1))}}"; echo program > "$out"')
    first = tools.programs("helm", "helmfile")
    assert [path.read_text() for path in first.values()] == ["program\n"] * 2
    assert tools.programs("helm", "helmfile") == first
    assert len((tmp_path / "built").read_text().splitlines()) == 2
    assert sorted(left()) == sorted(path.parent.name for path in first.values())


def test_other_requirements_are_another_program(monkeypatch, tmp_path):
    helm = tools.TOOLS["helm"]
    before = helm.place
    folder = tmp_path / "helm"
    folder.mkdir()
    for name in ("go.mod", "go.sum"):
        (folder / name).write_bytes((helm.folder / name).read_bytes())
    monkeypatch.setattr(tools, "MODULES", tmp_path)
    assert helm.place == before
    (folder / "go.sum").write_text("")
    assert helm.place != before
