# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import compressed, families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


@pytest.fixture
def model():
    return truth.model("deepseek4.gguf")


def test_the_oracle_s_bytes_with_and_without_a_draft(model):
    """Asked with parallel=2 and n_rs_seq."""
    got = [sum(families.cache(model, resolve({"ctx_size": 32768, "parallel": 2, "spec_draft_n_max": most}, model))) for most in (0, 3)]
    assert got == [49250304, 60162048]


def test_blocks_differ_by_what_they_compress(model):
    window, _window, fine, coarse, *_rest = compressed.cache(model, resolve({"ctx_size": 32768, "parallel": 1}, model))
    cells, row, indexer = 768, 512 * 2, 128 * 2
    assert window == cells * row
    assert fine == window + 8192 * (row + indexer) + 4 * 2 * 8 * 2 * (512 + 128)
    assert coarse == window + 256 * row + 4 * 2 * 128 * 512


def test_slots_share_nothing_of_a_unified_cache(model):
    one = compressed.cache(model, resolve({"ctx_size": 32768, "parallel": 1}, model))
    four = compressed.cache(model, resolve({"ctx_size": 32768, "parallel": 4, "kv_unified": True}, model))
    assert list(four) == [4 * size for size in one]
