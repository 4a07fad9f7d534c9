# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._model import model_from_plain

ROW = {"name": "blk.*.attn_q.weight", "blocks": "0-1,3", "type": "F32", "shape": [4, 4], "size_bytes": 64}


def model(tensors=(), **hyperparameters):
    return model_from_plain({"architecture": "llama", "hyperparameters": {"block_count": 4, **hyperparameters}, "tensors": list(tensors)})


def test_blocks_and_names_of_a_tensor_row():
    (group,) = model([ROW]).tensors
    assert group.blocks == (0, 1, 3)
    assert group.name_in(3) == "blk.3.attn_q.weight"


def test_a_scalar_holds_for_every_block():
    assert model(**{"attention.head_count": 8}).per_layer("attention.head_count") == (8, 8, 8, 8)
    assert model(**{"attention.head_count": [8, 8, 0, 4]}).per_layer("attention.head_count") == (8, 8, 0, 4)


def test_a_list_that_is_too_short_is_refused():
    with pytest.raises(InfraError, match="does not have one whole number for each block"):
        model(**{"attention.head_count": [8, 8]}).per_layer("attention.head_count")


@pytest.mark.parametrize("blocks", ["0-", "a", "0-99999999999", ""])
def test_impossible_blocks_are_refused(blocks):
    with pytest.raises(InfraError, match=r"model.tensors\[0\].blocks"):
        model([{**ROW, "blocks": blocks}])


def test_a_missing_hyperparameter_is_named():
    with pytest.raises(InfraError, match="no usable 'llama.context_length'"):
        model().integer("context_length")
