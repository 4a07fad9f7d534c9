# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes.quantity import quantity


@pytest.mark.parametrize(
    "text, expected",
    [
        ("65841916Ki", 65841916 * 1024), ("80Gi", 80 * 2**30), ("1.5Gi", 3 * 2**29), ("128974848", 128974848), ("129e6", 129_000_000), ("129M", 129_000_000),
        ("128974848000m", 128974848), ("7910m", 7), ("0", 0), (16, 16), ("1E3", 1000), ("2k", 2000), ("1Ei", 2**60),
    ],
)  # fmt: skip
def test_quantities(text, expected):
    assert quantity(text, "x") == expected


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "-1", "1GiB", "1e999", "10E", "9" * 40, "٣", None, True, 1.5, [], "1e"])
def test_what_is_none(text):
    with pytest.raises(InfraError, match="x: "):
        quantity(text, "x")
