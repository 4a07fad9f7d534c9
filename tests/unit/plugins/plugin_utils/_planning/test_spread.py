# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import itertools

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.spread import fits, spread


@pytest.mark.parametrize(
    "sizes, room, expected",
    [
        ([10] * 6, [100, 50], (4, 2)),
        ([10] * 6, [100], (6,)),
        ([10] * 6, [0, 100], (0, 6)),
        ([10] * 6, [-5, 100], (0, 6)),
        ([10, 10, 10, 70], [50, 70], (3, 1)),
        ([], [50, 70], (0, 0)),
        ([10] * 3, [0, 0], (3, 0)),
        # three times too much for both
        ([10] * 9, [20, 10], (6, 3)),
    ],
)
def test_layers_are_shared_out_by_room(sizes, room, expected):
    assert spread(sizes, room) == expected


def test_the_fullest_gpu_is_as_empty_as_it_can_be():
    sizes, room = [7, 3, 9, 4, 4, 12, 5, 8], [20, 31, 14]

    def fullest(counts):
        starts = [0, *itertools.accumulate(counts)]
        return max(sum(sizes[begin:end]) / size for begin, end, size in zip(starts, starts[1:], room))

    ways = [(first, second, 8 - first - second) for first in range(9) for second in range(9 - first)]
    assert fullest(spread(sizes, room)) == min(map(fullest, ways))


def test_what_exactly_fits_fits():
    assert fits([30, 20, 50], [50, 50])
    assert spread([30, 20, 50], [50, 50]) == (2, 1)
    # together there is room enough, but a layer is not split
    assert not fits([30, 30, 30], [45, 45])
    assert not fits([1], [-1, 0])
