# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.smaller_quantization import BITS_PER_WEIGHT, NAMES, largest_that_fits
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3


def size(model):
    return sum(group.size_bytes * (1 if group.blocks is None else len(group.blocks)) for group in model.tensors)


def test_the_table_is_in_order():
    assert sorted(BITS_PER_WEIGHT.values()) == list(BITS_PER_WEIGHT.values())


@pytest.mark.parametrize(("limit_gib", "name"), [(4.0, "Q3_K_L"), (4.5, "Q4_K_S"), (3.0, "Q2_K"), (1.9, "IQ1_S")])
def test_it_is_the_largest_within_a_limit(limit_gib, name):
    """Sizes of Llama 3.1 8B as llama.cpp's table has them: Q3_K_L 4.02 GiB of 8.03 billion weights and so on, here a little less."""
    found = largest_that_fits(truth.model("Llama-3.1-8B-Q4_K_M.gguf"), lambda model: size(model) <= limit_gib * GIB * 1.005)
    assert found.name == name
    assert found.size_bytes <= limit_gib * GIB * 1.005


def test_it_is_never_as_large_as_the_model():
    assert largest_that_fits(truth.model("Llama-3.1-8B-Q4_K_M.gguf"), lambda model: True).name in NAMES[: NAMES.index("Q4_K_M") + 1]


def test_there_may_be_none():
    assert largest_that_fits(truth.model("Llama-3.1-8B-Q4_K_M.gguf"), lambda model: False) is None


def test_a_plan_that_does_not_fit_names_it():
    node = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 256 * GIB}
    made = plan(truth.plain("DeepSeek-V3.1-Q4_K_M.gguf"), node, {"ctx_size": 32768})
    assert not made["fits"]
    largest = made["missing"]["largest_quantization"]
    assert any(largest["name"] in sentence for sentence in made["would_help"])
    # what is on the GPU beside the experts, and the experts that go there, come off it
    assert 250 * GIB < largest["size_bytes"] < 254 * GIB + 23 * GIB
    bits = sorted(BITS_PER_WEIGHT.values())
    next_larger = bits[bits.index(BITS_PER_WEIGHT[largest["name"]]) + 1]
    assert largest["size_bytes"] * next_larger / BITS_PER_WEIGHT[largest["name"]] > 254 * GIB


def test_a_plan_that_fits_names_none():
    node = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 512 * GIB}
    assert plan(truth.plain("DeepSeek-V3.1-Q4_K_M.gguf"), node, {"ctx_size": 32768})["missing"]["largest_quantization"] is None
