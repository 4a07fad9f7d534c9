# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


def test_no_architecture_has_two_kinds():
    tables = [
        families.NO_CACHE,
        families.PLAIN_ATTENTION,
        families.RECURRENT,
        frozenset(families.sliding_window.PATTERNS) - families.NO_CACHE,
        families.hybrid.ARCHITECTURES,
    ]
    assert sum(map(len, tables)) == len(frozenset().union(*tables))


def test_an_unknown_architecture_is_refused():
    model = replace(truth.model("llama-dense.gguf"), architecture="llama9")
    with pytest.raises(InfraError, match="the KV cache of architecture 'llama9' is not modelled yet"):
        families.kind(model)


@pytest.mark.parametrize("key, value", [("attention.key_length_mla", 192), ("num_loops", 2)])
def test_a_cache_that_a_hyperparameter_changes_is_refused(key, value):
    model = truth.model("llama-dense.gguf")
    model = replace(model, hyperparameters=MappingProxyType({**model.hyperparameters, key: value}))
    with pytest.raises(InfraError, match="with .* is not modelled yet"):
        families.kind(model)
