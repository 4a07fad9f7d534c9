# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.images import BUILD
from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.security import HOLES, MODEL, Hole, minimum_build


def test_the_pinned_build_has_no_hole_that_is_known():
    assert all(hole.fixed_in <= BUILD for hole in HOLES)


def test_every_hole_has_a_source():
    assert all(hole.source.startswith("https://") and hole.what and hole.name for hole in HOLES)
    assert len({hole.name for hole in HOLES}) == len(HOLES)


def test_any_server_reads_a_model_and_answers_requests():
    build, holes = minimum_build([])
    assert build == max(hole.fixed_in for hole in HOLES if hole.flag in (None, MODEL)) == holes[0].fixed_in
    assert {hole.flag for hole in holes} == {None, MODEL}


@pytest.mark.parametrize("args", [["--rpc", "10.0.0.1:50052"], ["--rpc=10.0.0.1:50052"]])
def test_flags_that_are_given_open_more(args):
    assert "CVE-2026-34159" in {hole.name for hole in minimum_build(args)[1]}
    assert "CVE-2026-34159" not in {hole.name for hole in minimum_build(["--fit", "off"])[1]}


def test_a_flag_can_raise_the_minimum(monkeypatch):
    from ansible_collections.prositronic.infra.plugins.plugin_utils._backend import security

    monkeypatch.setattr(security, "HOLES", (*HOLES, Hole("--mmproj", 99999, "a test", "nothing", "https://x")))
    assert minimum_build(["--ctx-size", "1"])[0] < 99999
    assert minimum_build(["--mmproj", "x"])[0] == 99999
