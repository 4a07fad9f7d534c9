# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast the RAM can be, from what the firmware says of its modules. Private: not an interface for other collections.

The table is that of the SMBIOS standard (DSP0134, type 17: memory devices). Firmware writes what it likes into it: whatever isn't plausible counts as
not told.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_TABLE = "/sys/firmware/dmi/tables/DMI"
_MOST_BYTES = 1 << 20
_MEMORY_DEVICE, _END = 17, 127
_KINDS = {0x18: "ddr3", 0x1A: "ddr4", 0x1E: "lpddr4", 0x22: "ddr5", 0x23: "lpddr5"}
# Slower than the standard allows is a clock, which some firmware writes in the place of the transfers.
_SLOWEST = {"ddr3": 800, "ddr4": 1600, "ddr5": 3200}
_FASTEST = 12800
_CHANNEL_BITS = 64
# P0 CHANNEL A, P0_Node0_Channel0_Dimm0, Controller1-ChannelB-DIMM0; CPU1_DIMM_A2, P1-DIMMA1, DIMM_P1_A1.
_CHANNEL = re.compile(r".*?CH(?:AN(?:NEL)?)?[ _-]?(?:[A-Z](?![A-Z])|\d+)", re.IGNORECASE)
_SLOT = re.compile(r".*?DIMM[ _-]*(?:P\d+[ _-])?[A-Z](?=[ _-]?\d)", re.IGNORECASE)
_NOT_TOLD = {"memory_type": None, "memory_channels": None, "memory_bandwidth_theoretical_bytes_per_second": None}


@dataclass(frozen=True)
class _Module:
    kind: str | None
    transfers: int
    bits: int
    channel: str | None


def read(tree):
    """The facts under C(host) about the kind of the RAM; None for what isn't told. The table is for root alone, and much does without it."""
    modules = [module for module in map(_module, _structures(tree.data_if_allowed(_TABLE) or b"")) if module]
    if not modules or not all(module.transfers and module.bits for module in modules):
        return dict(_NOT_TOLD)
    transfers, kinds = min(module.transfers for module in modules), {module.kind for module in modules}
    kind = kinds.pop() if len(kinds) == 1 else None
    widths = _widths(modules)
    bits = sum(widths.values()) if widths else None
    return {
        "memory_type": f"{kind}-{transfers}" if kind else None,
        "memory_channels": (bits // _CHANNEL_BITS or None) if bits else None,
        "memory_bandwidth_theoretical_bytes_per_second": transfers * 1_000_000 * bits // 8 if bits else None,
    }


def _widths(modules):
    """channel: its bits. None where it isn't told which modules share one."""
    if len(modules) == 1:
        return {"": modules[0].bits}
    if any(module.channel is None for module in modules):
        return None
    widths = {}
    for module in modules:
        widths[module.channel] = max(module.bits, widths.get(module.channel, 0))
    return widths


def _structures(table):
    """(the fixed part, the texts) of each memory device. Ends at the first structure that can't be one."""
    table, at = table[:_MOST_BYTES], 0
    while at + 4 <= len(table):
        kind, length = table[at], table[at + 1]
        texts_end = table.find(b"\0\0", at + length)
        if length < 4 or kind == _END or texts_end < 0:
            return
        if kind == _MEMORY_DEVICE:
            yield table[at : at + length], table[at + length : texts_end].split(b"\0")
        at = texts_end + 2


def _module(structure):
    """One module; None for an empty slot."""
    fixed, texts = structure
    if not _number(fixed, 12, "H"):
        return None
    kind = _KINDS.get(_number(fixed, 18, "B"))
    return _Module(kind, _transfers(fixed, kind), _bits(fixed), _channel(_text(fixed, texts, 17)) or _channel(_text(fixed, texts, 16)))


def _number(fixed, at, form):
    """A number in the fixed part, 0 where it is too short: older tables end earlier."""
    end = at + struct.calcsize(form)
    return struct.unpack_from("<" + form, fixed, at)[0] if end <= len(fixed) else 0


def _text(fixed, texts, at):
    number = _number(fixed, at, "B")
    return texts[number - 1].decode("latin-1").strip() if 0 < number <= len(texts) else ""


def _transfers(fixed, kind):
    """Megatransfers per second as configured, else as the module can; 0 for not told."""
    for short, extended in ((32, 88), (21, 84)):
        told = _number(fixed, short, "H")
        # What doesn't fit in 16 bits is in a later field.
        told = _number(fixed, extended, "I") & 0x7FFFFFFF if told == 0xFFFF else told
        if 0 < told < _SLOWEST.get(kind, 0):
            told *= 2
        if _SLOWEST.get(kind, 100) <= told <= _FASTEST:
            return told
    return 0


def _bits(fixed):
    """The width of the data; some firmware counts the bits of the check sum too."""
    told = _number(fixed, 10, "H")
    return _CHANNEL_BITS if _CHANNEL_BITS < told <= 80 else told if told in (8, 16, 32, 64) else 0


def _channel(text):
    """What names the channel, with the processor and the controller that it belongs to."""
    match = _CHANNEL.match(text) or _SLOT.match(text)
    return match.group().upper() if match else None
