# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.loading import loading_bytes
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.ram import beside_bytes, host_ram
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB, GIB = 1024**2, 1024**3
GPU = (Device("CUDA0", 22 * GIB),)
MOE = "Qwen3-30B-A3B-Q4_K_M.gguf"


def ram(load_mode, devices=GPU, checkpoints=32, cache_ram_bytes=8 * GIB, unified=False, name=MOE, **settings):
    model = truth.model(name)
    allocation = allocate(model, resolve({"ctx_size": 32768, **settings}, model), devices)
    return host_ram(model, allocation, devices, load_mode, unified, checkpoints, cache_ram_bytes)


def test_mapped_weights_are_needed_to_run_but_not_to_start():
    mapped, own = ram("mmap", cpu_moe=True), ram("none", cpu_moe=True)
    assert mapped.mapped_weights_bytes == own.own_weights_bytes > 15 * GIB
    assert own.min_bytes - mapped.min_bytes == own.own_weights_bytes
    assert mapped.recommended_bytes == own.recommended_bytes


def test_locked_pages_must_be_there_from_the_start():
    assert ram("mmap+mlock", cpu_moe=True).min_bytes == ram("mlock", cpu_moe=True).min_bytes == ram("none", cpu_moe=True).min_bytes


def test_without_a_gpu_interleaved_weights_have_no_file_behind_them():
    got = ram("auto", devices=())
    assert 0 < got.own_weights_bytes < got.own_weights_bytes + got.mapped_weights_bytes
    # the token embedding and what isn't quantized stay in the file
    assert got.mapped_weights_bytes > 150 * MIB
    assert got.min_bytes > got.own_weights_bytes


def test_what_grows_counts_for_running_only():
    small, large = ram("auto", cache_ram_bytes=0), ram("auto", cache_ram_bytes=8 * GIB)
    assert small.min_bytes == large.min_bytes
    assert large.recommended_bytes - small.recommended_bytes == 8 * GIB


def test_each_slot_has_its_checkpoints():
    got = ram("auto", name="Qwen3-Next-80B-A3B-Q4_K_M.gguf", checkpoints=32, cpu_moe=True)
    assert got.checkpoints_bytes == 4 * 32 * got.checkpoint_bytes > 9 * GIB


def test_a_gpu_that_shares_the_ram_takes_its_buffers_there():
    got = ram("none", unified=True)
    assert got.device_bytes > 18 * GIB
    assert got.min_bytes > got.device_bytes
    assert ram("none").device_bytes == 0


@pytest.mark.parametrize("mode, size", [("auto", 0), ("mmap", 0), ("none", 4 * MIB), ("mlock", 4 * MIB), ("dio", 4 * (64 * MIB + 8192))])
def test_loading_goes_through_four_buffers(mode, size):
    assert loading_bytes(truth.model(MOE), mode, GPU) == size


def test_loading_to_a_gpu_without_events_takes_the_largest_tensor():
    largest = max(group["size_bytes"] for group in truth.plain(MOE)["tensors"])
    assert loading_bytes(truth.model(MOE), "none", (Device("MTL0", GIB, events=False),)) == largest
    assert loading_bytes(truth.model(MOE), "none", ()) == 0


def test_the_server_itself():
    model = truth.model(MOE)
    with_gpu, without = beside_bytes(model, 4, GPU), beside_bytes(model, 4, ())
    assert with_gpu - without == 512 * MIB
    assert beside_bytes(model, 8, ()) - without == 4 * 4 * model.n_vocab


def test_the_worked_example():
    """docs/memory.md: DeepSeek V3.1 with its experts in RAM and the default prompt cache."""
    got = ram("auto", name="DeepSeek-V3.1-Q4_K_M.gguf", cpu_moe=True, parallel=1)
    assert got.mapped_weights_bytes // MIB == 376_229
    assert 376 * GIB < got.recommended_bytes < 377 * GIB
    assert got.min_bytes < GIB
