# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.ram import ram_bandwidth


@pytest.mark.parametrize(
    "ram_type, channels, gb_s",
    [("ddr4-3200", 2, 51.2), ("ddr5-4800", 12, 460.8), ("DDR5-6400", 8, 409.6), ("lpddr5x-8000", 4, 256)],
)
def test_bandwidth(ram_type, channels, gb_s):
    assert ram_bandwidth(ram_type, channels, "x") == gb_s * 10**9


@pytest.mark.parametrize("ram_type", ["", "ddr5", "ddr5-", "ddr2-800", "ddr5-100", "ddr5-99999", "ddr5 4800", "hbm3-6400"])
def test_another_type_is_refused(ram_type):
    with pytest.raises(InfraError, match="^here: not a type of RAM"):
        ram_bandwidth(ram_type, 1, "here")
