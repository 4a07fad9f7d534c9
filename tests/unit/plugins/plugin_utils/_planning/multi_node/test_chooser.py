# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from .teams import DENSE, LARGE, chooser, node


def test_layers_are_shared_out_though_one_device_would_hold_all():
    found = chooser(DENSE, {"a": node("nvidia-l4"), "b": node("nvidia-l4")}, ctx_size=8192)
    choice = found.find()
    assert choice.fits
    assert sorted(choice.placement.layers_per_gpu) == [16, 17]
    assert found.uses_all(choice)


def test_nothing_stays_in_ram_and_the_context_gives_way():
    choice = chooser(LARGE, {"a": node("nvidia-l40s"), "b": node("nvidia-l40s")}).find()
    assert (choice.fits, choice.why, choice.placement.apart) == (True, "reduced", {})
    assert sum(choice.placement.layers_per_gpu) == 48
    assert not chooser(LARGE, {"a": node("nvidia-l4"), "b": node("nvidia-l4")}).find().fits


def test_a_device_that_holds_no_layer_is_noticed():
    found = chooser(DENSE, {"a": node("nvidia-l40s"), "b": {"gpus": [{"model": "nvidia-l4", "memory_free_bytes": 2**30 + 2**20}], "ram_bytes": 2**36}})
    assert not found.uses_all(found.find())


def test_a_head_without_a_gpu_holds_none():
    found = chooser(DENSE, {"a": node(ram_gib=32), "b": node("nvidia-l4")}, ctx_size=4096)
    choice = found.find()
    assert (choice.fits, choice.placement.layers_per_gpu, found.uses_all(choice)) == (True, (33,), True)


def test_a_search_for_another_model_is_for_the_same_team():
    found = chooser(DENSE, {"a": node("nvidia-l4"), "b": node("nvidia-l4")})
    assert found.with_model(found.model).team is found.team
