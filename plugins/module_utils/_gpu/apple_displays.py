# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The GPU of a Mac as macOS's system_profiler describes it. Private: not an interface for other collections.

It knows what sysctl doesn't: the number of cores, by which the table of GPUs tells apart what Apple sells under one name, and the family of Metal.
"""

from __future__ import annotations

import json

_COMMAND = ("system_profiler", "SPDisplaysDataType", "-json")
_MOST_CORES = 4096
_PREFIX = "spdisplays_"


def start(programs):
    """Begin what read() asks for."""
    programs.start(*_COMMAND)


def read(programs, name):
    """gpu_cores, metal_family and display_attached of the GPU C(name); None for what isn't told."""
    try:
        rows = json.loads(programs.run(*_COMMAND)[1])["SPDisplaysDataType"]
        row = next(row for row in rows if row.get("sppci_model") == name)
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        row = {}
    cores, family, displays = (row.get(key) for key in ("sppci_cores", "spdisplays_mtlgpufamilysupport", "spdisplays_ndrvs"))
    number = int(cores) if isinstance(cores, str) and cores.isdecimal() and len(cores) < 5 else 0
    return {
        "gpu_cores": number if 0 < number <= _MOST_CORES else None,
        # spdisplays_metal4
        "metal_family": family[len(_PREFIX) :] if isinstance(family, str) and family.startswith(_PREFIX + "metal") else None,
        # A GPU without displays has no list of them.
        "display_attached": bool(displays) if row else None,
    }
