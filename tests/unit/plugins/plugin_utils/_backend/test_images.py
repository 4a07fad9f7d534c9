# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.images import BUILD, IMAGES, Image, image_of, platform_of
from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.kinds import KINDS
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory import LLAMA_CPP


def test_the_pinned_build_is_that_of_the_memory_rules():
    assert LLAMA_CPP["build"] == BUILD


def test_every_backend_but_metal_has_an_image():
    assert set(IMAGES) == set(KINDS) - {"metal"}


@pytest.mark.parametrize("backend", sorted(IMAGES))
def test_rows_are_in_order_and_have_a_source(backend):
    rows = IMAGES[backend]
    assert [row.since_build for row in rows] == sorted({row.since_build for row in rows})
    assert all(row.source.startswith("https://") and len(row.since) == 10 and row.platforms for row in rows)
    assert all(bool(row.cuda) == backend.startswith("cuda") for row in rows)


def test_the_row_of_a_build(monkeypatch):
    old, new = (Image("server-cuda13", ("amd64",), build, "2026-01-01", "https://x", cuda=cuda) for build, cuda in ((100, (13, 3)), (200, (13, 4))))
    monkeypatch.setitem(IMAGES, "cuda13", (old, new))
    assert [image_of("cuda13", build) for build in (50, 100, 199, 200, 300)] == [old, old, old, new, new]


@pytest.mark.parametrize("machine, platform", [("x86_64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64"), (None, "amd64"), ("ppc64le", None)])
def test_platforms(machine, platform):
    assert platform_of(machine) == platform
