# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import Network, network_from_plain, team_wishes


def test_a_network_is_two_numbers_as_text_too():
    assert network_from_plain("1250000000", 0.0002) == Network(1.25e9, 0.0002) == network_from_plain(1250000000, "2e-4")


@pytest.mark.parametrize(
    ("link", "trip", "message"),
    [
        (None, 0.1, "'link_bytes_per_second' is missing"),
        (1e9, None, "'round_trip_seconds' is missing"),
        (0, 0.1, "link_bytes_per_second: too small"),
        (1e9, -1, "round_trip_seconds: too small"),
        ("fast", 0.1, "link_bytes_per_second: not an integer"),
        (float("nan"), 0.1, "link_bytes_per_second: not a number"),
        (1e9, float("inf"), "round_trip_seconds: too large"),
    ],
)
def test_another_network_is_refused(link, trip, message):
    with pytest.raises(InfraError) as error:
        network_from_plain(link, trip)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"n_cpu_moe": 3}, "'n_cpu_moe' is for one node"),
        ({"gpu_layers": 10}, "'gpu_layers' is for one node"),
        ({"tensor_split": [1, 1]}, "'tensor_split' is for one node"),
        ({"emit": "guided"}, "'emit' is for one node"),
        ({"kv_offload": False}, "kv_offload: the cache is where its layers are"),
        ({"reserve_bytes": [1, 2]}, "reserve_bytes: more than one number"),
        ({"ctx_sizes": 3}, "unknown option 'ctx_sizes'"),
    ],
)
def test_what_is_for_one_node_is_refused(wishes, message):
    with pytest.raises(InfraError) as error:
        team_wishes(wishes)
    assert message in str(error.value)


def test_nothing_stays_in_ram():
    wishes = team_wishes({"ctx_size": 4096, "kv_offload": True})
    assert (wishes.allow_cpu, wishes.ctx_min, wishes.placement_is_fixed) == (False, 4096, False)
