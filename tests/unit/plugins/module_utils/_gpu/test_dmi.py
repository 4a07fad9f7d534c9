# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The firmware's table of memory modules: as boards write it, and as nobody should."""

from __future__ import annotations

import random
import struct
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import dmi
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree

DDR4, LPDDR4, DDR5, LPDDR5 = 0x1A, 0x1E, 0x22, 0x23
END = bytes((127, 4)) + b"\xff\xff\0\0"


def module(locator="", bank="", kind=DDR5, speed=4800, configured=None, bits=64, size=32767, length=92, extended=0):
    """One structure of type 17 after DSP0134, 7.18."""
    fixed = bytearray(92)
    struct.pack_into(
        "<BBHHHHHHBBBBBHH", fixed, 0, 17, length, 0x40, 0x3C, 0xFFFE, (bits + 8) & 0xFFFF, bits, size, 9, 0, bool(locator), 2 * bool(bank), kind, 0x80, speed
    )
    struct.pack_into("<H", fixed, 32, speed if configured is None else configured)
    struct.pack_into("<II", fixed, 84, extended, extended)
    texts = b"".join(text.encode() + b"\0" for text in (locator, bank) if text)
    return bytes(fixed[:length]) + (texts or b"\0") + b"\0"


def slots(locators, **more):
    return b"".join(module(locator, bank, **more) for locator, bank in locators)


def read(tmp_path, table):
    place = tmp_path / "sys" / "firmware" / "dmi" / "tables"
    place.mkdir(parents=True, exist_ok=True)
    (place / "DMI").write_bytes(table)
    found = dmi.read(Tree(str(tmp_path)))
    return found["memory_type"], found["memory_channels"], found["memory_bandwidth_theoretical_bytes_per_second"]


@pytest.mark.parametrize(
    "table, expected",
    [
        # Boards of public reports: two channels with two slots each, AMD and Intel, desktop and server.
        (slots([(f"DIMM {slot}", f"P0 CHANNEL {letter}") for letter in "AB" for slot in (0, 1)]), ("ddr5-4800", 2, 76_800_000_000)),
        (slots([("Controller0-ChannelA-DIMM0", "BANK 0"), ("Controller1-ChannelA-DIMM0", "BANK 0")], kind=DDR4, speed=3200), ("ddr4-3200", 2, 51_200_000_000)),
        (slots([(f"P1-DIMM{letter}1", f"P0_Node0_Channel{number}_Dimm0") for number, letter in enumerate("ABCDEFGHIJKL")]), ("ddr5-4800", 12, 460_800_000_000)),
        (slots([(f"CPU{cpu}_DIMM_{at}", f"NODE {cpu}") for cpu in (1, 2) for at in ("A1", "A2", "B1", "C1")], speed=5600), ("ddr5-5600", 6, 268_800_000_000)),
        (slots([(f"DIMM_{letter}2", "BANK 1") for letter in "AB"], speed=6000), ("ddr5-6000", 2, 96_000_000_000)),
        (slots([(f"DIMM_P{cpu}_{letter}1", "") for cpu in (1, 2) for letter in "ABCDEFGH"]), ("ddr5-4800", 16, 614_400_000_000)),
        # Soldered: eight narrow ones.
        (slots([("DIMM 0", f"P0 CHANNEL {letter}") for letter in "ABCDEFGH"], kind=LPDDR5, speed=8000, bits=32), ("lpddr5-8000", 4, 256_000_000_000)),
        # One module needs no name.
        (slots([("DIMM1", "")]), ("ddr5-4800", 1, 38_400_000_000)),
        # An empty slot, and other structures before and after.
        (bytes((1, 4, 0, 0)) + b"a\0b\0\0" + module("A", size=0) + module("ChannelA-DIMM0") + END + module("ChannelB-DIMM0"), ("ddr5-4800", 1, 38_400_000_000)),
    ],
)  # fmt: skip
def test_what_boards_say(tmp_path, table, expected):
    assert read(tmp_path, table) == expected


@pytest.mark.parametrize(
    "more, told",
    [
        ({"configured": 3600}, "ddr5-3600"),
        # The clock in the place of the transfers.
        ({"kind": DDR4, "speed": 2666, "configured": 1333}, "ddr4-2666"),
        ({"configured": 2400}, "ddr5-4800"),
        ({"configured": 0}, "ddr5-4800"),
        # An old table ends before the configured speed.
        ({"kind": DDR4, "speed": 2400, "length": 27}, "ddr4-2400"),
        ({"speed": 0xFFFF, "extended": 6400}, "ddr5-6400"),
        # The check sum counted too.
        ({"bits": 72}, "ddr5-4800"),
        # A virtual machine.
        ({"speed": 0}, None),
        ({"speed": 60000}, None),
        ({"bits": 0}, None),
        ({"bits": 0xFFFF}, None),
        ({"kind": 7, "speed": 4000}, None),
    ],
)
def test_speeds_and_widths(tmp_path, more, told):
    assert read(tmp_path, module("ChannelA", **more))[0] == told


def test_it_is_not_guessed_which_modules_share_a_channel(tmp_path):
    assert read(tmp_path, slots([("PROC 1 DIMM 1", ""), ("PROC 1 DIMM 2", "")])) == ("ddr5-4800", None, None)
    assert read(tmp_path, slots([("DIMM 0", "P0 CHANNEL A"), ("DIMM 1", "")])) == ("ddr5-4800", None, None)


def test_modules_of_two_kinds(tmp_path):
    assert read(tmp_path, module("ChannelA") + module("ChannelB", kind=LPDDR5, speed=6400)) == (None, 2, 76_800_000_000)


def test_for_root_alone(tmp_path, monkeypatch):
    tree = Tree(str(tmp_path))

    def denied(path):
        tree.denied.append(path)

    monkeypatch.setattr(tree, "data", denied)
    assert set(dmi.read(tree).values()) == {None}
    assert tree.denied == []


WHOLE = slots([("DIMM 0", "P0 CHANNEL A"), ("DIMM 1", "P0 CHANNEL B")]) + END


@pytest.mark.parametrize(
    "table",
    [
        b"", b"\x11", b"\x11\x00\x00\x00", b"\x11\x03\0\0\0\0", b"\x11\xff" + b"a" * 300, b"\0" * (1 << 21), b"\x11\x04\0\0\0\0" * 200_000,
        b"\x11\x04ab" + b"x" * (1 << 21), b"\x11\x15" + b"\xff" * 60 + b"\0\0", WHOLE[:50], b"\x11\x5c" + b"\xff" * 90 + b"\0\0",
    ],
)  # fmt: skip
def test_no_table_makes_it_hang_or_fail(tmp_path, table):
    began = time.monotonic()
    read(tmp_path, table)
    assert time.monotonic() - began < 5


def test_damaged_tables(tmp_path):
    chance = random.Random(1)
    for _each in range(2000):
        damaged = bytearray(WHOLE)
        for _change in range(chance.randrange(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        kind, channels, bandwidth = read(tmp_path, bytes(damaged[: chance.randrange(len(damaged) + 1)]))
        assert kind is None or 100 <= int(kind.rpartition("-")[2]) <= 12800
        assert channels is None or 1 <= channels <= 2
        assert bandwidth is None or 0 < bandwidth <= 2 * 12800 * 10**6 * 8
