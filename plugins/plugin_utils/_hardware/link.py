# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bus between a GPU and the RAM, as bytes per second in one direction."""

from __future__ import annotations

from dataclasses import dataclass

LANE_BYTES_PER_SECOND = {
    # transfers per second x the share left by the line code / 8 (PCI-SIG); from 6.0 on 242 of each FLIT's 256 bytes
    1: 2_500_000_000 * 8 // 10 // 8,
    2: 5_000_000_000 * 8 // 10 // 8,
    3: 8_000_000_000 * 128 // 130 // 8,
    4: 16_000_000_000 * 128 // 130 // 8,
    5: 32_000_000_000 * 128 // 130 // 8,
    6: 64_000_000_000 * 242 // 256 // 8,
}
NVLINK_C2C = 450_000_000_000
"""Grace to Hopper or Blackwell: 900 GB/s in both directions together."""


@dataclass(frozen=True)
class Link:
    """C(generation) and C(width) of PCIe; C(bytes_per_second) is what the wire carries in one direction after its line code.

    It is the theoretical rate: packet headers take some 5 to 15 percent of it, a copy from memory that isn't pinned half.
    """

    name: str
    bytes_per_second: int


def pcie(generation, width):
    return Link(f"PCIe {generation}.0 x{width}", LANE_BYTES_PER_SECOND[generation] * width)


C2C = Link("NVLink-C2C", NVLINK_C2C)
