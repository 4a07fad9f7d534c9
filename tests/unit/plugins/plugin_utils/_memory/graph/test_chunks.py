# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Devices that hand out 1 GiB at most: against what llama.cpp reports (tests/truth/chunks.jsonl)."""

from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.graph.allocator import ALIGNMENT_OF_DEVICE, Pool
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.graph.chunks import MOST_CHUNKS, ChunkedPool
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2
ROWS = [json.loads(line) for line in (truth.TRUTH / "chunks.jsonl").read_text().splitlines()]


def compute_mib(row, devices):
    got = memory_query(truth.plain(row["model"]), devices, row["settings"])
    return [part["compute_bytes"] // MIB for part in (*got["devices"], got["host"])]


def test_most_buffers_are_exact_and_none_is_far_below():
    """Of blocks that are alike only some are laid out (compute.py), and chunks can repeat later than those."""
    off, larger = [], 0
    for row in ROWS:
        reported = [part["compute"] for part in (*row["expected"]["devices"], row["expected"]["host"])]
        got = compute_mib(row, row["devices"])
        off += [mine - theirs for mine, theirs in zip(got, reported, strict=True)]
        larger += sum(reported) > sum(compute_mib(row, [{**device, "chunk_bytes": None} for device in row["devices"]])) + 1
    assert sum(abs(mib) <= 1 for mib in off) >= len(off) * 0.98, sorted(off)
    assert min(off) >= -256
    assert larger > len(ROWS) / 2, "the rows are of buffers for which the limit matters"


def test_below_the_limit_it_is_a_pool_like_any():
    chunked, plain = ChunkedPool(ALIGNMENT_OF_DEVICE, 1000 * 128), Pool(ALIGNMENT_OF_DEVICE)
    for size in (128, 100, 3000, 128):
        assert chunked.take(size) == (0, plain.take(size))
    chunked.give_back((0, 256), 3000)
    plain.give_back(256, 3000)
    assert chunked.take(2000) == (0, plain.take(2000))
    assert chunked.size_bytes == plain.size_bytes


def test_nothing_lies_in_two_chunks():
    pool = ChunkedPool(1, 100)
    assert [pool.take(60), pool.take(60), pool.take(40), pool.take(250)] == [(0, 0), (1, 0), (0, 60), (2, 0)]
    assert pool.size_bytes == 100 + 60 + 250


def test_the_last_chunk_is_endless():
    pool = ChunkedPool(1, 10)
    assert [pool.take(10)[0] for _each in range(MOST_CHUNKS + 5)] == [*range(MOST_CHUNKS), *[MOST_CHUNKS - 1] * 5]


@pytest.mark.parametrize("freed, expected", [((0, 0), (0, 0)), ((1, 0), (1, 0))])
def test_what_is_given_back_is_used_again(freed, expected):
    pool = ChunkedPool(1, 100)
    for _each in range(4):
        pool.take(50)
    pool.give_back(freed, 50)
    assert pool.take(40) == expected
    assert pool.size_bytes == 200
