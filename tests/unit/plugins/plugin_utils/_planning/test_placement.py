# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning import probe
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.budget import Budget
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.placement import Placer
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
DENSE = "Llama-3.1-8B-Q4_K_M.gguf"
MOE = "Qwen3-30B-A3B-Q4_K_M.gguf"
SCOUT = "Llama-4-Scout-17B-16E-Q4_K_M.gguf"
NOTHING = "nothing=CUDA0"


def placer(name, *gib, fixed=None, ram_gib=256, unified=False, bandwidths=()):
    """A Placer with budgets in GiB for each GPU."""
    names = tuple(f"CUDA{number}" for number in range(len(gib)))
    limits = tuple(int(size * GIB) for size in gib)
    budget = Budget(names, limits, int(ram_gib * GIB), unified, bandwidths)
    return Placer(truth.model(name), tuple(Device(*each) for each in zip(names, limits)), budget, fixed or {})


def placed(*args, ctx_size=8192, gpu_layers=None, **kwargs):
    placement, fits = placer(*args, **kwargs).place(ctx_size, gpu_layers)
    assert fits
    return placement


def on_gpus(placement):
    return sum(buffers.weights_bytes for buffers in placement.allocation.devices)


def unused(placement, *gib):
    return [int(size * GIB) - buffers.total_bytes for size, buffers in zip(gib, placement.allocation.devices)]


@pytest.mark.parametrize("gpu_layers", [None, "all", 33])
def test_a_model_that_fits_on_one_gpu_is_not_spread(gpu_layers):
    placement = placed(DENSE, 8, 24, 16, gpu_layers=gpu_layers)
    assert placement.layers_per_gpu == (0, 33, 0)
    assert [buffers.total_bytes for buffers in placement.allocation.devices][::2] == [0, 0]


def test_of_the_gpus_that_hold_it_the_fastest_is_used():
    assert placed(DENSE, 4, 24, 16, bandwidths=(900, 300, 600)).layers_per_gpu == (0, 0, 33)


def test_a_model_is_spread_where_that_is_asked_or_needed():
    assert placed(DENSE, 24, 24, fixed={"tensor_split": [1.0, 2.0]}).layers_per_gpu == (11, 22)
    counts = placed(DENSE, 4, 4).layers_per_gpu
    assert sum(counts) == 33 and all(counts)


def test_the_first_gpu_is_not_filled_beyond_the_others():
    left = unused(placed(DENSE, 4, 8, 4, ctx_size=65536), 4, 8, 4)
    assert all(size > 0 for size in left)
    # in proportion to what each may hold
    assert max(left) / min(left) < 4


def test_experts_stay_in_ram_from_the_blocks_of_each_gpu():
    placement = placed(SCOUT, 22, 22, fixed={"parallel": 1}, ctx_size=32768)
    first = placement.layers_per_gpu[0]
    assert placement.gpu_layers == 49
    assert min(placement.apart) < first <= max(placement.apart)
    assert all(0 <= size < 600 * 1024**2 for size in unused(placement, 22, 22))


def test_no_tensor_is_left_in_ram_that_would_fit():
    asked = placer(MOE, 10)
    placement, _fits = asked.place(32768)
    assert placement.apart
    smallest = min(asked.sizes.apart[block][name] for block, names in placement.apart.items() for name in names)
    assert unused(placement, 10)[0] < smallest


def test_more_memory_never_puts_less_on_the_gpus():
    kept = [on_gpus(placed(MOE, size, ctx_size=32768)) for size in (5, 6, 7, 8, 10, 12, 14, 16, 18, 20)]
    assert kept == sorted(kept)
    assert kept[0] < kept[-1]


def test_without_op_offload_no_tensor_passes_through_the_gpu():
    asked = {"parallel": 1, "ubatch_size": 512}
    assert on_gpus(placed(SCOUT, 12, fixed={**asked, "op_offload": False})) > on_gpus(placed(SCOUT, 12, fixed=asked))


def test_pipeline_parallelism_is_given_up_before_experts_are():
    """Copies of the inputs are what doesn't fit beside the weights."""
    model, ctx_size = "Qwen3-30B-A3B-Q4_K_M.gguf", 131072
    sizes = next((size / 64 for size in range(14 * 64, 20 * 64) if placed(model, size / 64, size / 64, ctx_size=ctx_size).override_tensor == (NOTHING,)), None)
    assert sizes is not None
    placement = placed(model, sizes, sizes, ctx_size=ctx_size)
    assert (placement.apart, placement.gpu_layers) == ({}, 49)
    assert not placer(model, sizes, sizes).place(ctx_size, "all")[1]


def test_feed_forward_parts_stay_in_ram_where_whole_layers_would_leave_more():
    whole = placed(DENSE, 6, ctx_size=4096)
    assert whole.override_tensor == ()
    size = whole.allocation.devices[0].total_bytes / GIB - 0.01
    placement = placed(DENSE, size, ctx_size=4096)
    assert placement.gpu_layers == 33
    assert len(placement.apart) == 1
    (override,) = placement.override_tensor
    assert override.startswith("blk\\.") and override.endswith("\\.weight=CPU")


def test_layers_stay_in_ram_where_the_cache_is_what_is_large():
    placement = placed(DENSE, 6, ctx_size=131072)
    assert 0 < placement.gpu_layers < 33
    assert len(placement.apart) < placement.gpu_layers


def test_layers_asked_for_are_whole():
    placement = placed(MOE, 10, gpu_layers=20)
    assert (placement.gpu_layers, placement.apart, placement.n_cpu_moe, placement.override_tensor) == (20, {}, 0, ())
    assert not placer(MOE, 4).place(8192, 40)[1]


@pytest.mark.parametrize("fixed", [{"n_cpu_moe": 40}, {"cpu_moe": True}, {"override_tensor": ["blk\\.[0-3].\\.ffn_.*_exps=CPU"]}])
def test_experts_that_the_user_placed_are_left_there(fixed):
    placement = placed(MOE, 10, fixed=fixed)
    settings = placement.allocation.settings
    assert (placement.apart, placement.gpu_layers) == ({}, 49)
    assert {name: list(value) if isinstance(value, tuple) else value for name in fixed for value in [getattr(settings, name)]} == fixed


def test_what_fits_on_no_gpu_runs_on_the_cpu():
    # else the GPU would be given room for what it does for the CPU
    placement = placed(DENSE, 0.1, fixed={"op_offload": False})
    assert (placement.gpu_layers, on_gpus(placement)) == (0, 0)


def test_too_little_ram_is_said():
    placement, fits = placer(SCOUT, 12, ram_gib=30).place(8192)
    assert not fits
    assert placement.allocation.host.total_bytes > 30 * GIB
    # what is on the GPUs needs no RAM
    assert placer(SCOUT, 12, ram_gib=56).place(8192)[1]


def test_a_gpu_may_have_a_part_of_unified_memory():
    placement = placed(MOE, 8, ram_gib=24, unified=True)
    buffers = [*placement.allocation.devices, placement.allocation.host]
    assert placement.apart
    assert sum(part.total_bytes for part in buffers) <= 24 * GIB
    assert not placer(MOE, 8, ram_gib=17, unified=True).place(8192)[1]
    # with separate memories that would do
    assert placer(MOE, 8, ram_gib=17).place(8192)[1]


@pytest.mark.parametrize("gib, most", [((5,), 15), ((10,), 15), ((22,), 15), ((8, 16), 20), ((6,) * 8, 30), ((3, 5) * 4, 30)])
@pytest.mark.parametrize("name", [DENSE, MOE, SCOUT, "GLM-4.5-Air-Q4_K_M.gguf", "Gemma-3-27B-Q4_K_M.gguf"])
@pytest.mark.parametrize("ctx_size", [8192, 131072])
def test_few_allocations_are_asked_for(monkeypatch, name, gib, most, ctx_size):
    asked = []
    monkeypatch.setattr(probe, "allocate", lambda *args, allocate=probe.allocate: asked.append(None) or allocate(*args))
    placer(name, *gib).place(ctx_size)
    assert 0 < len(asked) <= most
