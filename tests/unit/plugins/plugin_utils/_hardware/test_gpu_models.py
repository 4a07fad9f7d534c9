# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.gpu_models import GPU_MODELS, model_by_driver, model_by_id

MIB = 1024**2
GIB = 1024**3
TERA = 10**12

each_model = pytest.mark.parametrize("model", GPU_MODELS, ids=lambda model: model.id)

LIKELY = {
    # vendor: (bandwidth in GB/s, dense FP16 in TFLOPS)
    "nvidia": ((100, 8000), (2, 2600)),
    "amd": ((70, 8000), (6, 2600)),
    "intel": ((130, 610), (30, 190)),
    "apple": ((65, 820), (2, 65)),
}

# FP16 operations per multiprocessor and clock that a generation has at most, and the clocks in MHz that its cards run at.
FASTEST = {"5.2": (256, 1200), "6.0": (256, 1500), "6.1": (256, 1800), "7.0": (1024, 1650), "7.5": (1024, 1850), "8.0": (2048, 1450), "8.6": (1024, 1900)}
FASTEST |= {"8.7": (2048, 1350), "8.9": (1024, 2650), "9.0": (4096, 1900), "10.0": (8192, 2100), "10.3": (8192, 2100), "11.0": (8192, 1600)}
FASTEST |= {"12.0": (1024, 2700), "12.1": (1024, 2600)}
CUT = ("nvidia-gtx-1650", "nvidia-gtx-1660-super", "nvidia-gtx-1660-ti", "nvidia-h20")
"""Without matrix units, or with few of them at work."""


def test_there_are_enough_and_no_two_are_the_same():
    assert len(GPU_MODELS) >= 120
    assert len({model.id for model in GPU_MODELS}) == len(GPU_MODELS)
    rows = [(model.name, model.memory_total_bytes, model.memory_sizes_bytes) for model in GPU_MODELS]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    "wanted",
    "gtx-1080-ti titan-rtx rtx-2080-ti rtx-3090 rtx-4090 rtx-5090 rtx-4090-laptop rtx-a2000 rtx-a6000 rtx-2000-ada rtx-6000-ada rtx-pro-6000-blackwell "
    "m40 p4 p40 p100 t4 v100-sxm2-16gb v100-pcie-32gb a2 a10 a16 a30 a40 a100-pcie-40gb a100-sxm4-80gb l4 l40 l40s h100-pcie h100-sxm5 h100-nvl h200 gh200 "
    "b200 b300 gb200 jetson-orin-nano-8gb jetson-orin-nx-16gb jetson-agx-orin-64gb jetson-thor gb10".split(),
)
def test_the_ones_asked_for_of_nvidia(wanted):
    assert model_by_id(f"nvidia-{wanted}", "x").vendor == "nvidia"


@pytest.mark.parametrize(
    "wanted",
    "amd-rx-6800-xt amd-rx-7900-xtx amd-rx-9070-xt amd-pro-w6800 amd-pro-w7900 amd-r9700 amd-mi50 amd-mi60 amd-mi100 amd-mi210 amd-mi250x amd-mi300x "
    "amd-mi300a amd-mi325x amd-mi355x amd-radeon-8060s amd-radeon-780m intel-arc-a380 intel-arc-a580 intel-arc-a770 intel-arc-b570 intel-arc-b580 "
    "intel-arc-pro-b50 intel-arc-pro-b60 apple-m1 apple-m2-pro apple-m3-ultra apple-m4-max apple-m5".split(),
)
def test_the_ones_asked_for_of_others(wanted):
    assert model_by_id(wanted, "x").vendor == wanted.partition("-")[0]


@each_model
def test_a_row_is_plausible(model):
    (slowest, fastest), (weakest, strongest) = LIKELY[model.vendor]
    assert slowest <= model.memory_bandwidth_bytes_per_second / 10**9 <= fastest
    assert weakest <= model.matrix_flops / TERA <= strongest
    # Volta has matrix units for FP16 alone.
    assert model.int8_ops is None or (0.4 if model.compute_capability == "7.0" else 1) * model.matrix_flops <= model.int8_ops <= 5 * model.matrix_flops
    assert model.id.startswith(model.vendor + "-")
    assert model.source
    assert model.memory_source
    assert model.id == model.id.lower()
    assert (model.compute_capability is not None) == (model.vendor == "nvidia")
    assert (model.gfx_target is not None) == (model.vendor == "amd")


@each_model
def test_memory_is_a_little_less_than_the_label(model):
    if model.memory_total_bytes is None:
        assert model.unified_memory
        return
    label = max(model.memory_sizes_bytes)
    # GDDR with ECC lost a sixteenth of it; the HBM of Blackwell Ultra is labelled in units of a thousand.
    assert 0.92 * label <= model.memory_total_bytes <= 1.03 * label
    if not model.unified_memory:
        reserve = model.memory_total_bytes - model.memory_free_bytes
        assert 40 * MIB <= reserve <= 1000 * MIB


@each_model
def test_the_memory_is_its_own_or_that_of_the_node(model):
    assert model.unified_memory == (model.link is None) == (model.memory_free_bytes is None)
    if model.unified_memory:
        assert model.pcie_bytes_per_second == model.memory_bandwidth_bytes_per_second // 2
    else:
        assert 7 * 10**9 < model.pcie_bytes_per_second <= 450 * 10**9
        assert len(model.memory_sizes_bytes) == 1


@pytest.mark.parametrize("model", [model for model in GPU_MODELS if model.vendor == "nvidia"], ids=lambda model: model.id)
def test_matrix_throughput_is_what_the_multiprocessors_can_do(model):
    per_clock, most_mhz = FASTEST[model.compute_capability]
    mhz = model.matrix_flops / model.units / per_clock / 10**6
    assert most_mhz / (5 if model.id in CUT else 3) <= mhz <= most_mhz


@pytest.mark.parametrize(
    "model_id, tflops",
    [
        # as the vendors' papers and product pages print them
        ("nvidia-rtx-2080-ti", 53.8),
        ("nvidia-rtx-3080", 59.5),
        ("nvidia-rtx-3090", 71),
        ("nvidia-rtx-4080", 97.5),
        ("nvidia-rtx-4090", 165.2),
        ("nvidia-rtx-5070", 61.7),
        ("nvidia-rtx-5070-ti", 87.9),
        ("nvidia-rtx-5080", 112.6),
        ("nvidia-rtx-5090", 209.5),
        ("nvidia-quadro-rtx-8000", 130.5),
        ("nvidia-rtx-a6000", 154.8),
        ("nvidia-rtx-6000-ada", 364.25),
        ("nvidia-rtx-pro-6000-blackwell", 503.8),
        ("nvidia-l40", 181.05),
        ("nvidia-h100-sxm5", 989.4),
        ("amd-rx-7900-xtx", 122.8),
        ("amd-r9700", 191.4),
        ("amd-mi100", 184.6),
        ("amd-mi210", 181),
        ("amd-mi300x", 1307.4),
        ("amd-mi355x", 2516.6),
    ],
)
def test_matrix_throughput_is_that_of_the_vendor(model_id, tflops):
    assert model_by_id(model_id, "x").matrix_flops / TERA == pytest.approx(tflops, rel=0.005)


@each_model
def test_every_name_of_a_driver_leads_back_to_its_row(model):
    size = model.memory_total_bytes or model.memory_sizes_bytes[0]
    for name in (model.name, *model.aliases):
        assert model_by_driver(model.vendor, name, size, model.gfx_target) is model


@pytest.mark.parametrize(
    "vendor, name, mib, gfx_target, expected",
    [
        ("nvidia", "NVIDIA GeForce RTX 4090", 24564, None, "nvidia-rtx-4090"),
        ("nvidia", "GeForce RTX 3090", 24268, None, "nvidia-rtx-3090"),
        ("nvidia", "NVIDIA Tesla T4", 15360, None, "nvidia-t4"),
        ("nvidia", "NVIDIA GeForce RTX 4060 Ti", 8188, None, "nvidia-rtx-4060-ti"),
        ("nvidia", "NVIDIA GeForce RTX 4060 Ti", 16380, None, "nvidia-rtx-4060-ti-16gb"),
        ("nvidia", "Orin (nvgpu)", 62840, None, "nvidia-jetson-agx-orin-64gb"),
        ("nvidia", "Orin (nvgpu)", 7620, None, "nvidia-jetson-orin-nano-8gb"),
        ("amd", "Radeon RX 7900 XTX", 24560, "gfx1100", "amd-rx-7900-xtx"),
        ("amd", "AMD GPU 1002:744c", 24560, "gfx1100", "amd-rx-7900-xtx"),
        ("amd", "AMD GPU 1002:7550", 16304, "gfx1201", None),
        ("apple", "Apple M3 Ultra", 262144, None, "apple-m3-ultra"),
        ("apple", "Apple M4 Max", 36864, None, "apple-m4-max-32-core"),
        ("apple", "Apple M4 Max", 65536, None, "apple-m4-max"),
        ("nvidia", "NVIDIA GeForce RTX 9090", 24564, None, None),
        ("nvidia", "Radeon RX 7900 XTX", 24560, None, None),
        ("nvidia", "nvidia", 24564, None, None),
    ],
)
def test_a_gpu_that_was_found_is_looked_up(vendor, name, mib, gfx_target, expected):
    found = model_by_driver(vendor, name, mib * MIB, gfx_target)
    assert (found and found.id) == expected


@pytest.mark.parametrize(
    "model_id, message",
    [
        ("nvidia-l44", "Did you mean 'nvidia-l4'"),
        ("RTX 4090", "'nvidia-rtx-4090'"),
        ("7900-xtx", "'amd-rx-7900-xtx'"),
        ("geforce-rtx-4060", "Did you mean 'nvidia-rtx-4060'"),
        ("nvidia-h100", "'nvidia-h100-pcie'"),
        ("Tesla T4", "Did you mean 'nvidia-t4'?"),
        ("zzz", "The ids start with amd-, apple-, intel-, nvidia-"),
        ("", "no such GPU"),
        (4090, "not the id of a GPU"),
        (["nvidia-l4"], "not the id of a GPU"),
    ],
)
def test_an_unknown_id_is_refused_with_the_nearest(model_id, message):
    with pytest.raises(InfraError, match="^here: ") as error:
        model_by_id(model_id, "here")
    assert message in str(error.value)
    assert "docs/gpus.md" in str(error.value)
