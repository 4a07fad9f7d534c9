# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory of cards by their PCI identity, where no driver tells it. Private: not an interface for other collections.

It is what the driver's tool gives as the total (docs/gpus.md says where from). Left out are identities under which cards with unlike memory are
sold, such as that of the RTX 5060 Ti with 8 and with 16 GiB.
"""

from __future__ import annotations

_MIB = {
    # vendor: {MiB: the cards that have so much}
    "10de": {
        4096: "1c82 1f0a 1f82 2188",
        6138: "2531",
        6144: "1b83 1c03 1e89 1f09 2182 21c4 2521 2561",
        7680: "1bb3",
        8151: "2d05 2d83 2f06",
        8188: "2788 2803 2808 2882",
        8192: "1b80 1b81 1b82 1e81 1e82 1e84 1eb1 1ec2 1ec7 1f02 1f06 1f42 1f47 2207 2414 2482 2484 2486 248c 248d 248e 2507",
        10240: "2206",
        11264: "1b06 1e04",
        12227: "2f04",
        12282: "2571 2709 2782 2783 2786",
        12288: "1b02 1d81 2208 2501 2503",
        15360: "1eb8",
        16303: "2c02 2c05",
        16311: "2d30",
        16376: "24b0 2689 2702 2703 2704 2705 2717 2757",
        16384: "15f8 1db1 1db4 1eb0 2460",
        20470: "2232",
        20475: "27b0 27b2",
        23028: "2236 2237",
        23034: "27b8",
        23040: "1b38",
        24467: "2c34",
        24564: "2203 2231 2233 2684 2685",
        24570: "27b1",
        24576: "1b30 1e02 1e36 20b7 2204",
        32607: "2b85",
        32623: "2c31",
        32760: "26b2",
        32768: "1db5 1db6 1dba",
        40960: "20b0 20f1",
        46068: "2235 26b5 26b7 26b9 26ba",
        49140: "2230 26b1",
        81559: "2330 2331",
        81920: "20b2 20b5",
        95830: "2321",
        97871: "2329 2342",
        97887: "2bb1 2bb4 2bb5",
        143771: "2335 233b",
        183359: "2901",
        275040: "3182",
        284208: "31c2 31c3",
    },
    "8086": {
        5723: "56a5",
        7782: "56a1 56a2",
        10180: "e20c",
        12216: "e20b",
        15881: "e212",
        24480: "e211",
        32656: "e223",
    },
}
_TOTALS = {f"{vendor}:{device}": mib * 1024 * 1024 for vendor, sizes in _MIB.items() for mib, devices in sizes.items() for device in devices.split()}


def total_bytes(card):
    """The memory of a whole card, None where the table doesn't have it."""
    return _TOTALS.get(card.ids)
