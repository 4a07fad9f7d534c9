# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The build that a llama-server says it is."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._service.program import build_of


@pytest.mark.parametrize(
    ("said", "build"),
    [
        ("version: 11312 (0c1e57098)\nbuilt with GNU 13.3.0 for Linux x86_64\n", 11312),
        ("version: 0 (unknown)\n", None),
        ("nothing of the kind\n", None),
    ],
)
def test_a_build(said, build, tmp_path):
    program = tmp_path / "llama-server"
    program.touch()
    assert build_of(str(program), lambda _argv, _environment: (0, "", said)) == build


def test_no_program(tmp_path):
    assert build_of(str(tmp_path / "none"), None) is None


def test_a_library_is_missing(tmp_path):
    program = tmp_path / "llama-server"
    program.touch()
    error = f"{program}: error while loading shared libraries: libcudart.so.13: cannot open shared object file"
    with pytest.raises(InfraError, match="can't be run"):
        build_of(str(program), lambda _argv, _environment: (127, "", error))
