# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wire import SERVER_SECONDS, Wire, boundaries, wire_of
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import Network
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

from .teams import DENSE, chooser, node

ROW = 4096 * 4
"""Of activations of Llama 3.1 8B."""

SMALL = 4 + 8 + 8
"""Position, and the rows of K and V to write."""


def wire(nodes, tokens=1, cells=4096, head=0):
    found = chooser(DENSE, nodes, head, ctx_size=16384, parallel=1)
    allocation = found.find().placement.allocation
    return wire_of(truth.model(DENSE), found.team, allocation, tokens, cells), boundaries(found.team, allocation)


def test_a_worker_gets_the_embedding_the_mask_and_positions_and_gives_a_row():
    got, crossed = wire({"a": node("nvidia-l4"), "b": node("nvidia-l4")})
    assert (got.round_trips, crossed) == (1, 1)
    assert got.size_bytes == ROW + 2 * 4096 + SMALL + ROW
    assert dict(got.messages) == {"b": ROW}


def test_from_worker_to_worker_a_row_goes_through_the_head():
    got, crossed = wire({"a": node("nvidia-l4"), "b": node("nvidia-l4"), "c": node("nvidia-l4")})
    assert (got.round_trips, crossed) == (2, 2)
    assert got.size_bytes == 2 * (2 * 4096 + SMALL) + ROW + 2 * ROW + ROW


def test_between_two_devices_of_a_worker_nothing_but_an_answer_goes_over_the_wire():
    got, crossed = wire({"a": node("nvidia-l4"), "b": node("nvidia-l4", "nvidia-l4")})
    assert (got.round_trips, crossed) == (2, 1)
    assert got.size_bytes == ROW + 2 * (2 * 4096 + SMALL) + ROW


def test_logits_come_from_a_worker_where_the_head_has_no_gpu():
    got, crossed = wire({"a": node(ram_gib=32), "b": node("nvidia-l4")})
    assert (got.round_trips, crossed) == (1, 0)
    # out_ids, one row, is read where the output is
    assert got.size_bytes == ROW + 2 * 4096 + SMALL + 4 + 4 * 128256


def test_a_micro_batch_sends_a_row_and_a_row_of_the_mask_for_each_token():
    got, _crossed = wire({"a": node("nvidia-l4"), "b": node("nvidia-l4")}, tokens=512, cells=2048)
    assert got.size_bytes == 512 * (ROW + 2 * 2048 + SMALL + ROW)


def test_time_is_bytes_and_answers():
    slow = Network(1e6, 0.01)
    assert Wire(500_000, 3, ()).seconds(slow) == pytest.approx(0.5 + 3 * (0.01 + SERVER_SECONDS))
    assert Wire(500_000, 3, ()).least_seconds(slow) == pytest.approx(0.5 + 3 * 0.01)
