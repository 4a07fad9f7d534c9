# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures for every test of the planning code."""

from __future__ import annotations

import pytest

GIB = 1024**3


@pytest.fixture
def facts():
    """A function: free GiB of each GPU, GiB of RAM -> facts of a node."""

    def make(*free_gib, ram_gib=64, vendor="nvidia", **device):
        return {
            "devices": [
                {
                    "vendor": vendor,
                    "name": f"GPU {number}",
                    "uuid": f"GPU-{number}",
                    "memory_total_bytes": int(free * GIB),
                    "memory_free_bytes": int(free * GIB),
                    **device,
                }
                for number, free in enumerate(free_gib)
            ],
            "host": {"memory_total_bytes": ram_gib * GIB, "memory_available_bytes": ram_gib * GIB},
        }

    return make
