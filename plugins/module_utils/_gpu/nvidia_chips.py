# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows from an NVIDIA GPU's compute capability. Private: not an interface for other collections."""

from __future__ import annotations

import re

_ARCHITECTURES = {
    (5, 0): "maxwell",
    (5, 2): "maxwell",
    (5, 3): "maxwell",
    (6, 0): "pascal",
    (6, 1): "pascal",
    (6, 2): "pascal",
    (7, 0): "volta",
    (7, 2): "volta",
    (7, 5): "turing",
    (8, 0): "ampere",
    (8, 6): "ampere",
    (8, 7): "ampere",
    (8, 9): "ada",
    (9, 0): "hopper",
    (10, 0): "blackwell",
    (10, 1): "blackwell",
    (10, 3): "blackwell",
    (11, 0): "blackwell",
    (12, 0): "blackwell",
    (12, 1): "blackwell",
}

# The GPUs of NVIDIA's systems on a chip: Jetson TX1, TX2, Xavier and Orin, Thor, and GB10 with its relatives.
# They work in the RAM, even where the driver names a figure of its own: N1X tells 8128 MiB of it.
_SHARING_RAM = frozenset({(5, 3), (6, 2), (7, 2), (8, 7), (10, 1), (11, 0), (12, 1)})
# The same by their PCI identity, for those that are on a PCI bus: Thor, GB10 and N1X.
_CARDS_SHARING_RAM = frozenset({"2b00", "2e12", "2e2a"})

# The last part of a vGPU's name is its profile: A40-48Q, A100-4-20C.
_VIRTUAL = re.compile(r"-\d+(?:-\d+)?[ABCQ]$")


def architecture(capability):
    """The generation of a GPU, None where it isn't known."""
    return _ARCHITECTURES.get(_numbers(capability))


def shares_ram(capability):
    """Whether a GPU of this compute capability has no memory of its own."""
    return _numbers(capability) in _SHARING_RAM


def card_shares_ram(device):
    """The same by the PCI identity of the device."""
    return device in _CARDS_SHARING_RAM


def is_virtual(name):
    """Whether a GPU of this name is a vGPU of a virtual machine."""
    return _VIRTUAL.search(name) is not None


def _numbers(capability):
    match = re.fullmatch(r"(\d+)\.(\d+)", capability or "")
    return None if match is None else (int(match.group(1)), int(match.group(2)))
