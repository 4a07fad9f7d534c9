# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed.work import work_of
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
MOE, DENSE, TIED = "Qwen3-30B-A3B-Q4_K_M.gguf", "Llama-3.1-8B-Q4_K_M.gguf", "Llama-3.2-3B-Q4_K_M.gguf"


def work(name, devices=1, **settings):
    model = truth.model(name)
    gpus = tuple(Device(f"CUDA{number}", 80 * GIB) for number in range(devices))
    allocation = allocate(model, resolve({"ctx_size": 4096, **settings}, model), gpus)
    share = model.n_expert_used / model.n_expert if model.n_expert else 1
    return work_of(model, allocation, gpus, share, model.n_expert > 0)


def test_a_weight_costs_a_token_two_operations():
    got = work(DENSE)
    outside = sum(group["shape"][0] * group["shape"][1] for group in truth.plain(DENSE)["tensors"] if group["name"] in ("token_embd.weight", "output.weight"))
    assert got.operations[0] == pytest.approx(2 * (truth.plain(DENSE)["parameters"] - outside), rel=0.001)
    assert got.expert_operations == (0, 0)


def test_a_token_reads_the_experts_that_it_uses_and_a_batch_all_of_them():
    got = work(MOE)
    assert got.batch_bytes[0] - got.token_bytes[0] == pytest.approx(got.expert_bytes[0] * (1 - 8 / 128), rel=1e-6)
    assert got.blocks == (48, 0)


def test_what_stays_in_ram_and_where_blocks_run():
    got = work(MOE, n_cpu_moe=10)
    assert (got.blocks, got.apart) == ((48, 0), (10, 0))
    assert got.expert_bytes[1] == got.host_bytes > 2 * GIB
    assert work(DENSE, gpu_layers=17).blocks == (16, 16)


def test_a_shared_matrix_is_read_for_the_output_wherever_it_is():
    on_gpu, on_host = work(TIED), work(TIED, gpu_layers=0)
    assert on_host.token_bytes[1] == pytest.approx(on_gpu.token_bytes[0], rel=0.001)


def test_everything_on_the_host_is_the_same_work():
    got = work(MOE, 2, n_cpu_moe=10)
    host = got.on_host()
    for name in ("token_bytes", "batch_bytes", "operations", "expert_operations", "blocks"):
        assert getattr(host, name) == (0, 0, sum(getattr(got, name)))
    assert host.apart == (0, 0)


def test_moved_weights_leave_the_first_device():
    got = work(MOE, n_cpu_moe=24)
    more = got.moved(GIB, 8 / 128)
    assert more.host_bytes == got.host_bytes + GIB
    assert sum(more.token_bytes) == pytest.approx(sum(got.token_bytes))
    assert sum(more.expert_operations) == pytest.approx(sum(got.expert_operations))
    none_left = got.moved(-(10**15), 8 / 128)
    assert (none_left.host_bytes, none_left.apart) == (0, (0, 0))
    assert got.moved(0, 1) is got
