# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bandwidth of RAM from its type and the number of its channels."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

CHANNEL_BYTES = 8
"""A channel is 64 bits wide; the two halves of a DDR5 module are one, and so are two or four narrow ones of LPDDR."""

SLOWEST, FASTEST = 800, 12800
EXPECTED = "a kind of RAM with its megatransfers per second, such as ddr4-3200, ddr5-4800 or lpddr5x-8000"


def ram_bandwidth(ram_type, channels, where):
    """Bytes per second that C(channels) of RAM such as C(ddr5-4800) carry at most: transfers x 8 bytes x channels (JEDEC)."""
    match = re.fullmatch(r"(ddr[345]|lpddr[45]x?)-(\d{3,5})", ram_type.lower())
    if match is None or not SLOWEST <= int(match.group(2)) <= FASTEST:
        raise InfraError("not a type of RAM", where, shown(ram_type), EXPECTED)
    return int(match.group(2)) * 1_000_000 * CHANNEL_BYTES * channels
