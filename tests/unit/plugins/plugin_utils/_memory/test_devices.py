# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device, devices_from_plain


def test_a_device_needs_its_free_memory_only():
    assert devices_from_plain([{"free_bytes": 5}, {"free_mib": 2, "events": False, "name": "ROCm0"}]) == (
        Device("CUDA0", 5, True),
        Device("ROCm0", 2097152, False),
    )
    assert devices_from_plain([{"free_bytes": 5, "name": "RPC0", "remote": True}]) == (Device("RPC0", 5, remote=True),)


@pytest.mark.parametrize(
    "row, message",
    [
        ({}, "devices[0]: the device's free memory is missing"),
        ({"free_byte": 1}, "devices[0]: unknown option 'free_byte'. Did you mean 'free_bytes'?"),
        ({"free_bytes": -1}, "devices[0].free_bytes: too small"),
        ({"free_bytes": "much"}, "devices[0].free_bytes: not an integer"),
        ({"free_bytes": 1, "free_mib": 1}, "devices[0]: 'free_bytes' and 'free_mib' say the same"),
        ({"free_bytes": 1 << 63}, "devices[0].free_bytes: too large"),
    ],
)
def test_a_malformed_device_is_refused(row, message):
    with pytest.raises(InfraError) as error:
        devices_from_plain([row])
    assert message in str(error.value)
