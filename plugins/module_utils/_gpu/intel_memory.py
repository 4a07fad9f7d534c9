# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory of an Intel card where no program tells it. Private: not an interface for other collections.

Intel's own i915 shows what is there and what is free. The kernel's xe shows the size of the chips (tile*/physical_vram_size_bytes), of which it keeps
some, so what the table of cards has comes before it. The window that the PCI bus has onto the memory (its BAR) is a power of two, 16 GiB for a card with 12:
it only tells apart cards of one identity, and only where it can be resized.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import pci, pci_memory

_GIB = 1024**3
# Flags of a resource: memory that may be read ahead. A window that can't be resized is 256 MiB.
_PREFETCHABLE = 0x2000
# The A770 is sold with 8 GiB and with 16.
_SIZES = {"56a0": {8 * _GIB: 7782 * 1024**2, 16 * _GIB: 15473 * 1024**2}}


def read(tree, card):
    """(total, free) bytes, free None where only the size is known; None where nothing tells."""
    shown = _shown(tree, card)
    if shown:
        return shown
    chips = _chips(tree, card)
    sizes = _SIZES.get(card.device)
    total = sizes.get(chips or _window(tree, card)) if sizes else pci_memory.total_bytes(card) or chips
    return (total, None) if total else None


def is_told(tree, card):
    """Whether the driver shows what is free too, so that nothing else needs to be asked."""
    return _shown(tree, card) is not None


def _shown(tree, card):
    for name in tree.names(f"{pci.DEVICES}/{card.bus_id}/drm"):
        path = f"{pci.DEVICES}/{card.bus_id}/drm/{name}/lmem_"
        total, free = tree.number(path + "total_bytes"), tree.number(path + "avail_bytes")
        if total and free is not None:
            return total, min(free, total)
    return None


def _chips(tree, card):
    """The bytes of all tiles, None where they aren't shown."""
    place = f"{pci.DEVICES}/{card.bus_id}"
    texts = [tree.text(f"{place}/{name}/physical_vram_size_bytes") for name in tree.names(place) if re.fullmatch(r"tile\d+", name)]
    return sum(_size(text) for text in texts if text) or None


def _size(text):
    """Releases differ in whether they write it in hexadecimal; read as decimal that is far too little."""
    if re.fullmatch(r"[0-9]{1,16}", text) and int(text) >= _GIB:
        return int(text)
    return int(text, 16) if re.fullmatch(r"(?:0x)?[0-9a-fA-F]{1,12}", text) else 0


def _window(tree, card):
    """The bytes of the largest region that may be read ahead, 0 for none."""
    sizes = [0]
    for line in (tree.text(f"{pci.DEVICES}/{card.bus_id}/resource") or "").splitlines():
        match = re.fullmatch(r"0x([0-9a-f]{16}) 0x([0-9a-f]{16}) 0x([0-9a-f]{16})", line)
        first, last, flags = (int(part, 16) for part in match.groups()) if match else (0, -1, 0)
        sizes += [last - first + 1] if flags & _PREFETCHABLE else []
    return max(sizes)
