# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long 1,000 plans in one process take: other nodes, other wishes, several models."""

from __future__ import annotations

import itertools
import resource

import models
from nodes import node
from timing import Times, heading, seconds_of

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

PLANS = 1000
SLOWEST = 5
MODELS = ("DeepSeek-V3.1-Q4_K_M", "GLM-4.5-Air-Q4_K_M", "Llama-3.1-8B-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M", "Gemma-3-27B-Q4_K_M", "Mixtral-8x7B-Q4_K_M")
GPUS = (0, 1, 2, 3, 4, 8)
GPU_GIB = (8, 16, 24, 48, 80)
RAM_GIB = (32, 128, 512)
WISHES = ({}, {"ctx_size": 16384}, {"ctx_size": 65536, "parallel": 8}, {"cache_type_k": "q8_0", "cache_type_v": "q8_0"}, {"gpu_layers": "all"})


def main():
    plannable = dict(models.possible(MODELS, lambda model: plan(model, node(1), {})))
    # The GPUs change fastest and the wishes last; the whole grid has more than PLANS, of which as many are taken from all over it.
    grid = list(itertools.product(WISHES, RAM_GIB, GPU_GIB, plannable, GPUS))
    chosen = [grid[number * len(grid) // PLANS] for number in range(PLANS)]
    before = _rss_mib()
    spent = []
    for wishes, ram_gib, gpu_gib, name, gpus in chosen:
        made = node(gpus, gpu_gib, ram_gib)
        seconds = seconds_of(lambda name=name, made=made, wishes=wishes: plan(plannable[name], made, wishes))
        spent.append((seconds, gpus, name, f"{name}, {gpus} x {gpu_gib} GiB, {ram_gib} GiB of RAM, {wishes or 'no wishes'}"))
    after = _rss_mib()
    every = tuple(seconds for seconds, *_rest in spent)
    heading(f"{len(every)} plans in one process, {len(plannable)} models: {sum(every):.1f} s")
    print(Times(every).row("each plan"))
    for wanted in GPUS:
        print(Times(tuple(seconds for seconds, gpus, *_rest in spent if gpus == wanted)).row(f"  on {wanted} GPUs"))
    for wanted in plannable:
        print(Times(tuple(seconds for seconds, _gpus, name, _label in spent if name == wanted)).row(f"  of {wanted}"))
    print("the slowest:")
    for seconds, _gpus, _name, label in sorted(spent, reverse=True)[:SLOWEST]:
        print(f"  {1000 * seconds:6.1f} ms  {label}")
    print(f"peak memory of the process {before:.0f} MiB before, {after:.0f} MiB after")


def _rss_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
