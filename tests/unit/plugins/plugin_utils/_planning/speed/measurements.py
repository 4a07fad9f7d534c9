# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tokens per second that people measured of llama.cpp, with where they say so. docs/speed.md has the same as a table.

Taken as they were found, the bad ones too; left out is what was measured of a fork, or on a machine whose memory isn't told.
A header of another quantization of the same size stands in where the measured one isn't in tests/truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAI = "https://github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference"
GEERLING = "https://github.com/geerlingguy/ai-benchmarks"
LLMFIT = "https://github.com/AlexsJones/llmfit/pull/"
LLAMA = "https://github.com/ggml-org/llama.cpp/pull/"

L8, L3, Q8, Q7 = "Llama-3.1-8B-Q4_K_M", "Llama-3.2-3B-Q4_K_M", "Qwen3-8B-Q4_K_M", "Qwen2.5-7B-Q4_K_M"
Q30, Q80, LITE = "Qwen3-30B-A3B-Q4_K_M", "Qwen3-Next-80B-A3B-Q4_K_M", "DeepSeek-V2-Lite-Q4_K_M"
OSS = "gpt-oss-20b-MXFP4_MOE"
PHI, GEMMA = "Phi-4-14B-Q4_K_M", "Gemma-2-9B-Q4_K_M"

X299 = 102_000_000_000
"""Bytes per second of the RAM of the i9-10900X, as its owner measured."""


@dataclass(frozen=True)
class Measurement:
    """C(what): decode or prefill. C(context): twice the tokens that were in the cache on average (decode), or the tokens of the prompt (prefill).

    C(ram): bytes per second. C(settings): of llama-server.
    """

    what: str
    model: str
    gpus: tuple[str, ...]
    context: int
    measured: float
    link: str
    ram: int | None = None
    settings: dict = field(default_factory=dict)


def _both(gpu, decode, prefill, link=DAI, model=L8):
    return (Measurement("decode", model, (gpu,), 512, decode, link), Measurement("prefill", model, (gpu,), 512, prefill, link))


def _decode(model, gpu, measured, link, context=512, ram=None, count=1, **settings):
    return Measurement("decode", model, (gpu,) * count if gpu else (), context, measured, link, ram, settings)


def _prefill(model, gpu, measured, link, context=512, ram=None, count=1, **settings):
    return Measurement("prefill", model, (gpu,) * count if gpu else (), context, measured, link, ram, settings)


MEASUREMENTS = (
    *_both("nvidia-rtx-3070", 72.79, 2402.51),
    *_both("nvidia-rtx-3080", 109.57, 3728.86),
    *_both("nvidia-rtx-3080-ti", 110.60, 3690.30),
    *_both("nvidia-rtx-4070-ti", 83.50, 3936.29),
    *_both("nvidia-rtx-4080", 108.15, 5389.74),
    *_both("nvidia-rtx-3090", 115.42, 4030.40),
    *_both("nvidia-rtx-4090", 130.58, 7138.99),
    *_both("apple-m1-max", 35.73, 408.23),
    *_both("apple-m2-ultra", 78.81, 994.04),
    *_both("apple-m3-max", 48.97, 693.32),
    *_both("apple-m4", 20.87, 224.81, "https://github.com/brand-o/normiebench/issues/3"),
    _decode(L8, "nvidia-rtx-3090", 87.49, DAI, 8192),
    _decode(L8, "nvidia-rtx-4090", 110.66, DAI, 8192),
    _decode(L8, "nvidia-rtx-3090", 111.67, DAI, count=2),
    _decode(L8, "nvidia-rtx-4090", 124.65, DAI, count=2),
    _decode(L8, "nvidia-rtx-3090", 108.66, DAI, count=4),
    _prefill(L8, "nvidia-rtx-3090", 4013.34, DAI, 4096, count=2),
    _prefill(L8, "nvidia-rtx-4090", 8422.04, DAI, 4096, count=2),
    _prefill(L8, "nvidia-rtx-3090", 5826.91, DAI, 4096, count=4),
    _decode(L8, "nvidia-rtx-3090", 156.56, LLAMA + "15802"),
    _decode(L8, "nvidia-rtx-4090", 102.76, LLAMA + "17505", 65536),
    _prefill(L8, "nvidia-rtx-4090", 10358.75, LLAMA + "7676"),
    _prefill(L8, "nvidia-rtx-3090", 3491.20, LLAMA + "7860", 2048),
    _prefill(L8, "nvidia-v100-pcie-32gb", 3326.19, LLAMA + "24127"),
    _prefill(L8, "nvidia-p40", 831.19, LLAMA + "7716", 2048),
    _decode(L8, "amd-rx-7900-xtx", 105.81, LLAMA + "26284"),
    _decode(L8, "amd-rx-7900-xtx", 98.54, LLAMA + "26284", 8192),
    _prefill(L8, "amd-rx-7900-xtx", 3226.54, LLAMA + "26284", 2048),
    _prefill(L8, "amd-mi50-32gb", 1083.08, LLAMA + "27841", 1024),
    _decode(L3, "nvidia-rtx-4090", 334.67, GEERLING),
    _decode(L3, "nvidia-rtx-3080-ti", 263.24, GEERLING),
    _decode(L3, "nvidia-rtx-4070-ti", 196.15, GEERLING),
    _decode(L3, "nvidia-rtx-2080-ti", 180.38, GEERLING),
    _decode(L3, "nvidia-rtx-a4000", 149.44, GEERLING),
    _decode(L3, "nvidia-rtx-3060", 122.85, GEERLING),
    _decode(L3, "nvidia-gb10", 97.93, GEERLING),
    _decode(L3, "apple-m3-ultra", 154.60, GEERLING),
    _decode(L3, "amd-r9700", 195.91, GEERLING),
    _decode(L8, "nvidia-rtx-2080", 71.9, LLMFIT + "773"),
    _decode(Q8, "nvidia-rtx-2080", 69.3, LLMFIT + "773"),
    _decode(Q7, "nvidia-rtx-2080", 77.0, LLMFIT + "778"),
    _decode(L3, "nvidia-rtx-2080", 140.3, LLMFIT + "778"),
    _decode(LITE, "nvidia-rtx-3090", 180.53, LLAMA + "15525"),
    _prefill(LITE, "nvidia-rtx-3090", 4260.97, LLAMA + "15525"),
    _decode(Q30, "nvidia-rtx-3090-ti", 166.9, "https://smeltcore.com/recipes/qwen3-30b-a3b-rtx-3090-ti/", 8192),
    _decode(Q30, "nvidia-rtx-4090", 196.0, "https://runaihome.com/blog/qwen3-30b-a3b-local-ai-guide-2026/"),
    _prefill(Q30, "nvidia-p40", 715.48, LLAMA + "15631", 4096),
    # part of the weights in RAM
    _decode(Q30, "nvidia-rtx-2080", 36.7, LLMFIT + "755", ram=X299, n_cpu_moe=36),
    _decode(LITE, "nvidia-rtx-2080", 49.6, LLMFIT + "778", ram=X299, n_cpu_moe=16),
    _decode(PHI, "nvidia-rtx-2080", 16.7, LLMFIT + "774", ram=X299, gpu_layers=32),
    _decode(GEMMA, "nvidia-rtx-2080", 23.7, LLMFIT + "778", ram=X299, gpu_layers=36),
    # everything in RAM: two channels of DDR3L-1600, one of DDR5-5200, two of DDR5-5600
    _decode(L3, None, 7.68, GEERLING + "/issues/53", ram=25_600_000_000),
    _prefill(L3, None, 17.70, GEERLING + "/issues/53", ram=25_600_000_000),
    _decode(L3, None, 11.05, "https://github.com/geerlingguy/sbc-reviews/issues/107", ram=41_600_000_000),
    _prefill(L3, None, 28.67, "https://github.com/geerlingguy/sbc-reviews/issues/107", ram=41_600_000_000),
    _decode(Q80, None, 7.74, "https://github.com/ggml-org/llama.cpp/issues/19480", ram=89_600_000_000),
)

HELD_BACK = (
    _decode(OSS, "nvidia-rtx-pro-6000-blackwell", 391.20, LLAMA + "16991"),
    _prefill(OSS, "amd-rx-7900-xtx", 4696.47, LLAMA + "24546", 2048),
    _decode(OSS, "nvidia-rtx-4090", 279.65, GEERLING),
    _decode(OSS, "nvidia-rtx-4070-ti", 163.14, GEERLING),
    _decode(OSS, "nvidia-rtx-a4000", 93.55, GEERLING),
    _decode(OSS, "nvidia-rtx-3060", 83.96, GEERLING),
    _decode(OSS, "nvidia-gb10", 87.97, GEERLING),
    _decode(OSS, "apple-m3-ultra", 115.29, GEERLING),
    _decode(OSS, "amd-r9700", 163.26, GEERLING),
    _decode(OSS, "nvidia-rtx-2080", 36.4, LLMFIT + "775", ram=X299, n_cpu_moe=12),
)
"""Nothing was fitted to these."""
