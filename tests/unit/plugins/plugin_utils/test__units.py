# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._units import counted, human


def test_mib_below_a_gib_and_gib_from_there():
    assert [human(size) for size in (0, 640 * 1024**2, 1024**3 - 1, 22 * 1024**3)] == ["0 MiB", "640 MiB", "1024 MiB", "22.0 GiB"]


def test_one_is_not_many():
    assert [counted(number, "block") for number in (0, 1, 2)] == ["0 blocks", "1 block", "2 blocks"]
