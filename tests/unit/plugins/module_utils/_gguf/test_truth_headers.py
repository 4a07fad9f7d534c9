# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Headers that llama.cpp loads are read, every one of them."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model

HEADERS = sorted((pathlib.Path(__file__).parents[4] / "truth" / "headers").glob("*.gguf"))

# What llama-quantize writes into published files of these models.
PARAMETERS = {
    "Llama-3.1-8B-Q4_K_M.gguf": 8_030_261_312,
    "Qwen3-30B-A3B-Q4_K_M.gguf": 30_532_122_624,
}


@pytest.mark.parametrize("path", HEADERS, ids=lambda path: path.stem)
def test_a_header_without_weights_is_a_model_to_plan_with(path):
    model = read_model(str(path))
    assert model["header_only"] is True
    assert model["size_bytes"] > path.stat().st_size
    assert model["architecture"]
    assert model["hyperparameters"]["block_count"] > 0


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_the_number_of_parameters_is_the_published_one(name):
    (path,) = [path for path in HEADERS if path.name == name]
    assert read_model(str(path))["parameters"] == pytest.approx(PARAMETERS[name], rel=1e-6)
