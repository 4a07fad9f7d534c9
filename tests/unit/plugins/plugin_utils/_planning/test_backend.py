# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.backend import backend_of
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import node_from_plain


@pytest.mark.parametrize(
    "gpus, driver, expected",
    [
        ({}, None, "cpu"),
        ({"vendor": "amd"}, None, "rocm"),
        ({"vendor": "intel"}, None, "sycl"),
        ({"vendor": "apple"}, None, "metal"),
        ({"compute_capability": "8.9"}, {"cuda_max": "12.8"}, "cuda12"),
        ({"compute_capability": "8.9"}, {"cuda_max": "13.0"}, "cuda13"),
        ({"compute_capability": "6.1"}, {"cuda_max": "13.0"}, "cuda12"),
        ({"compute_capability": None}, {"cuda_max": None}, "cuda12"),
    ],
)
def test_backend(facts, gpus, driver, expected):
    node = {**(facts(24, **gpus) if gpus else facts()), "driver": driver}
    backend = backend_of(node_from_plain(node))
    assert backend.name == expected
    assert backend.reason
    assert (backend.image is None) == (expected == "metal")
