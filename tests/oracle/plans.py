# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A grid of plans, each given to llama.cpp with the plan's own flags: it must stay within the budget of every device.

The plans are those of llama_plan for full-size models of tests/truth, on nodes with one to eight GPUs and much or little RAM, under several wishes;
and those of llama_multi_node_plan for several nodes, whose workers' devices answer as those of a server do.
"""

from __future__ import annotations

import concurrent.futures
import fnmatch
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import checkout
import question
import truth

sys.path.insert(0, str(checkout.linked()))

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.plan import multi_node_plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

# Free MiB of each GPU: 8 to 80 GB cards alone, equal and unequal ones together.
GPUS = (
    (7600,), (11600,), (15600,), (22570,), (31500,), (47000,), (79600,),
    (23500, 23500), (47000, 23500), (7600, 15600), (11600, 79600), (23500, 23500, 23500, 23500), (7600, 23500, 11600, 15600),
    (16000, 6000, 10000), (11600,) * 8,
)  # fmt: skip
GIB = 1024**3
MUCH_RAM = 2048 * GIB
# (GPUs, bytes of RAM): all with much RAM, some with little.
NODES = [(gpus, MUCH_RAM) for gpus in GPUS] + [((7600,), 24 * GIB), ((15600,), 32 * GIB), ((7600, 15600), 24 * GIB), ((23500, 23500), 48 * GIB)]
WISHES = (
    {},
    {"ctx_size": 32768},
    {"ctx_size": 8192, "parallel": 1},
    {"ctx_size": 65536, "parallel": 8},
    {"ctx_size": 65536, "cache_type_k": "q8_0", "cache_type_v": "q8_0"},
    {"ctx_size": 16384, "ubatch_size": 2048},
    {"ctx_size": 8192, "flash_attn": "off"},
    {"ctx_size": 16384, "op_offload": False},
    {"ctx_size": 16384, "kv_offload": False},
    {"ctx_size": 4096, "gpu_layers": 20},
    {"prefer": "context"},
    {"prefer": "prefill"},
    {"ctx_size": {"min": 8192, "max": 65536}, "reserve_bytes": 2147483648},
    {"ctx_size": 8192, "cpu_moe": True},
)
# The GPUs of each of several nodes.
TEAMS = (
    ((22570,), (22570,)),
    ((23500, 23500), (79600,)),
    ((15600,), (7600, 15600), (11600,)),
    ((79600,) * 4, (79600,) * 4),
)
TEAM_WISHES = (
    {},
    {"ctx_size": 8192, "parallel": 2},
    {"ctx_size": 32768, "cache_type_k": "q8_0", "cache_type_v": "q8_0"},
    {"ctx_size": 8192, "flash_attn": "off"},
    {"prefer": "prefill"},
)
FLAGS = {
    "--ctx-size": "ctx_size", "--parallel": "parallel", "--batch-size": "batch_size", "--ubatch-size": "ubatch_size",
    "--flash-attn": "flash_attn", "--cache-type-k": "cache_type_k", "--cache-type-v": "cache_type_v", "--gpu-layers": "gpu_layers",
    "--n-cpu-moe": "n_cpu_moe", "--tensor-split": "tensor_split", "--override-tensor": "override_tensor", "--split-mode": "split_mode",
    "--main-gpu": "main_gpu",
}  # fmt: skip
SWITCHES = {
    "--kv-unified": ("kv_unified", True),
    "--no-kv-unified": ("kv_unified", False),
    "--no-kv-offload": ("kv_offload", False),
    "--no-op-offload": ("op_offload", False),
}
# llama-server's own, without a figure in the buffers that are asked about.
BESIDE = {"--cache-ram", "--ctx-checkpoints", "--fit", "--load-mode"}


@dataclass(frozen=True)
class Checked:
    """One plan: MiB that the plan is above llama.cpp on each device, and MiB that llama.cpp is above the budget of a device or of RAM (0 or less: within).

    C(refused): llama.cpp's reason not to run it.
    """

    model: str
    node: tuple[tuple, int]
    wishes: dict
    above: list[float]
    over_budget: float
    refused: str = ""

    @property
    def wrong(self) -> bool:
        return self.over_budget > 0 or bool(self.refused)


def check(pattern: str) -> Iterator[Checked]:
    """Every plan of the grid that fits, of the full-size models that match; those that llama_plan does not describe are left out."""
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        yield from pool.map(_ask, _grid(pattern))


def _grid(pattern: str) -> Iterator[tuple]:
    full_size = {row["model"] for row in map(json.loads, (truth.TRUTH / truth.FULL).read_text(encoding="utf-8").splitlines())}
    for path in (truth.HEADERS / name for name in sorted(full_size) if fnmatch.fnmatch(name, pattern)):
        model = read_model(str(path))
        for node in NODES:
            for wishes in WISHES:
                try:
                    made = plan(model, facts(*node), wishes)
                except InfraError:
                    break
                if made["fits"]:
                    yield path, node, wishes, made
        for team in TEAMS:
            for wishes in TEAM_WISHES:
                nodes = {f"node{number}": facts(gpus, MUCH_RAM) for number, gpus in enumerate(team)}
                try:
                    made = multi_node_plan(model, nodes, wishes, 1.25e9, 2e-4)
                except InfraError:
                    continue
                yield path, (team, MUCH_RAM), wishes, made


def facts(gpus: tuple[int, ...], ram_bytes: int) -> dict:
    """A node of which every byte is free: MiB of each GPU, and bytes of RAM."""
    return {
        "devices": [{"vendor": "nvidia", "memory_total_bytes": free * question.MIB} for free in gpus],
        "host": {"memory_total_bytes": ram_bytes},
    }


def _ask(item: tuple) -> Checked:
    path, node, wishes, made = item
    try:
        answer = question.ask(path, settings_of(made["server"]["args"]), _devices(made))
    except question.Refused as refused:
        return Checked(path.name, node, wishes, [], 0, f"{refused} ({' '.join(made['server']['args'])})")
    host = made["memory"]["host"]
    above, over = [], [(sum(answer["host"][f"{part}_bytes"] for part in question.PARTS) - host["available_bytes"] + host["reserve_bytes"]) / question.MIB]
    for device, planned in zip(answer["devices"], made["memory"]["devices"]):
        total = sum(device[f"{part}_bytes"] for part in question.PARTS)
        above.append((planned["total_bytes"] - total) / question.MIB)
        over.append((total - planned["free_bytes"] + planned["reserve_bytes"]) / question.MIB)
    return Checked(path.name, node, wishes, above, max(over))


def _devices(made: dict) -> list[dict]:
    head = made.get("multi_node", {}).get("head")
    rows = made["memory"]["devices"]
    return [{"free_mib": row["free_bytes"] // question.MIB, "events": True, "remote": row.get("node") != head} for row in rows]


def settings_of(args: list[str]) -> dict:
    """The settings that a plan's arguments ask llama-server for."""
    settings: dict = {}
    rest = iter(args)
    for flag in rest:
        if flag in SWITCHES:
            name, value = SWITCHES[flag]
            settings[name] = value
        elif flag in BESIDE:
            next(rest)
        else:
            settings[FLAGS[flag]] = next(rest)
    if "tensor_split" in settings:
        settings["tensor_split"] = settings["tensor_split"].split(",")
    if "override_tensor" in settings:
        settings["override_tensor"] = settings["override_tensor"].split(",")
    return settings
