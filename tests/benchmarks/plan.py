# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a memory query and a plan take.

usage: PYTHONPATH=<folder of ansible_collections> python3 plan.py
"""

from __future__ import annotations

import pathlib
import statistics
import time

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

HEADERS = pathlib.Path(__file__).parents[1] / "truth" / "headers"
MODELS = ("Llama-3.1-8B-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M", "GLM-4.5-Air-Q4_K_M", "Gemma-3-27B-Q4_K_M")
SETTINGS = {"ctx_size": 32768, "parallel": 1, "cpu_moe": True}
GIB = 1024**3
RUNS = 20


def median_ms(work):
    """The median of RUNS runs, after one that warms up."""
    work()
    times = []
    for _run in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def node(gpus):
    return {
        "devices": [
            {"vendor": "nvidia", "name": "GPU", "uuid": f"GPU-{number}", "memory_total_bytes": 24 * GIB, "memory_free_bytes": (23 - number % 3) * GIB}
            for number in range(gpus)
        ],
        "host": {"memory_total_bytes": 256 * GIB, "memory_available_bytes": 250 * GIB},
    }


def main():
    print(f"median of {RUNS} runs, milliseconds")
    print(f"{'model':24}{'query':>8}{'1 GPU':>8}{'2 GPUs':>8}{'8 GPUs':>8}")
    for name in MODELS:
        model = read_model(str(HEADERS / f"{name}.gguf"))
        figures = [median_ms(lambda model=model: memory_query(model, [{"free_bytes": 22 * GIB}], SETTINGS))]
        figures += [median_ms(lambda model=model, gpus=gpus: plan(model, node(gpus), {})) for gpus in (1, 2, 8)]
        print(f"{name:24}" + "".join(f"{figure:8.1f}" for figure in figures))


if __name__ == "__main__":
    main()
