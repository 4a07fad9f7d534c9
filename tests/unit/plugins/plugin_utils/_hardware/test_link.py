# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.link import C2C, pcie


@pytest.mark.parametrize(
    "generation, width, gb_s",
    # the table of the PCI Express article and of the specifications, one direction
    [(1, 16, 4.0), (2, 16, 8.0), (3, 16, 15.754), (3, 1, 0.985), (4, 16, 31.508), (4, 8, 15.754), (5, 16, 63.015), (6, 16, 121)],
)
def test_bytes_per_second_in_one_direction(generation, width, gb_s):
    link = pcie(generation, width)
    assert link.bytes_per_second / 10**9 == pytest.approx(gb_s, rel=0.001)
    assert link.name == f"PCIe {generation}.0 x{width}"


def test_a_superchip_has_a_faster_one():
    assert C2C.bytes_per_second > 3 * pcie(6, 16).bytes_per_second
