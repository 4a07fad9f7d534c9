# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every case and target against its golden file. With WRITE_GOLDEN=1 in the environment the files are written instead: read git diff then."""

from __future__ import annotations

import os
from functools import cache

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases

planned = cache(cases.planned)


@pytest.mark.parametrize("target", cases.TARGETS)
@pytest.mark.parametrize("name", cases.CASES)
def test_it_is_rendered_as_before(name, target):
    path = cases.GOLDEN / f"{name}.{target}.txt"
    got = cases.text(cases.rendered(name, target, planned(name)))
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(got, encoding="utf-8")
    assert got == path.read_text(encoding="utf-8")


def test_no_file_is_left_of_a_case_that_is_gone():
    assert {path.name for path in cases.GOLDEN.iterdir()} == {f"{name}.{target}.txt" for name in cases.CASES for target in cases.TARGETS}
    assert len(cases.CASES) >= 20
