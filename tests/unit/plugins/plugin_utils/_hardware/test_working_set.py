# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.working_set import working_set_bytes

MIB = 1024**2
GIB = 1024**3


@pytest.mark.parametrize(
    "vendor, ram_gib, mib",
    # apple: "recommendedMaxWorkingSetSize" in logs of llama.cpp
    [("apple", 8, 5461), ("apple", 16, 10922), ("apple", 24, 16384), ("apple", 64, 49152), ("apple", 192, 147456), ("amd", 128, 65536), ("nvidia", 64, 65536)],
)
def test_what_the_gpu_may_have_of_the_ram(vendor, ram_gib, mib):
    assert working_set_bytes(vendor, ram_gib * GIB) // MIB == mib
