# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long one plan takes."""

from __future__ import annotations

import models
import nodes
from timing import heading, measured

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

# The first is the one the aim is about: a mixture of experts of 61 layers.
MODELS = ("DeepSeek-V3.1-Q4_K_M", "GLM-4.5-Air-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M", "Gemma-3-27B-Q4_K_M", "Llama-3.1-8B-Q4_K_M")
AIMS = {1: "aim: < 20 ms", 2: "", 8: "aim: < 100 ms"}
RAM_GIB = 512
ROOMY_GIB = 141
RUNS = 20


def main():
    heading("One plan", RUNS)
    for name, model in models.possible(MODELS, lambda model: plan(model, nodes.node(1), {})):
        for gpus, aim in AIMS.items():
            for gpu_gib in (nodes.tight(gpus, model["size_bytes"]), ROOMY_GIB):
                node = nodes.node(gpus, gpu_gib, RAM_GIB)
                print(measured(lambda model=model, node=node: plan(model, node, {}), RUNS).row(f"{name}, {gpus} x {gpu_gib} GiB", aim))
