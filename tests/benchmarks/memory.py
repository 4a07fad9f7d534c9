# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long one memory query takes."""

from __future__ import annotations

import models
from timing import heading, measured

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query

MODELS = ("Llama-3.1-8B-Q4_K_M", "Gemma-3-27B-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M", "GLM-4.5-Air-Q4_K_M", "DeepSeek-V3.1-Q4_K_M")
SETTINGS = {"ctx_size": 32768, "parallel": 1, "cpu_moe": True}
FREE_BYTES = 22 * 1024**3
RUNS = 100


def main():
    heading("One memory query on 1 GPU", RUNS)
    for name, model in models.possible(MODELS, ask):
        print(measured(lambda model=model: ask(model), RUNS).row(name, "aim: < 2 ms"))


def ask(model):
    return memory_query(model, [{"free_bytes": FREE_BYTES}], SETTINGS)
