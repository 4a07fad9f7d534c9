# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The settings and devices that a model is asked about, each of them varied alone and a few together."""

from __future__ import annotations

MUCH = 900_000  # MiB: every model fits

BASE = {
    "ctx_size": 32768,
    "flash_attn": "on",
    "cache_type_k": "f16",
    "cache_type_v": "f16",
    "ubatch_size": 512,
    "batch_size": 2048,
    "parallel": 1,
    "kv_unified": False,
    "gpu_layers": "all",
    "cpu_moe": False,
    "n_cpu_moe": 0,
    "kv_offload": True,
    "op_offload": True,
    "tensor_split": None,
    "mtp": None,
    "outputs": 1,
}

ONE = [MUCH]
TWO = [MUCH, MUCH]

# Free MiB of cards with 8 to 141 GB, alone and together.
CARDS = [[free] for free in (7600, 11600, 15600, 22570, 23500, 31500, 47000, 79600, 140000)]
CARDS += [[23500] * 2, [47000, 23500], [23500] * 4]


def devices(free_mib: list[int], events: bool = True) -> list[dict]:
    return [{"free_mib": free, "events": events} for free in free_mib]


def questions(model: dict) -> list[tuple[dict, list[dict]]]:
    """(settings, devices) for a model, of which the oracle said {context_length, block_count, expert_count, nextn_predict_layers}."""
    blocks = model["block_count"]
    long = min(model["context_length"], 262144)
    half = {"gpu_layers": blocks // 2}
    four_slots = {"ctx_size": 65536, "parallel": 4, "outputs": 4}

    alone = [
        {},
        {"ctx_size": 4096},
        {"ctx_size": 10000},
        {"ctx_size": long},
        {"flash_attn": "off"},
        {"cache_type_k": "q8_0", "cache_type_v": "q8_0"},
        {"cache_type_k": "q4_0", "cache_type_v": "q4_0", "ctx_size": long},
        {"cache_type_k": "bf16", "cache_type_v": "bf16"},
        {"ubatch_size": 128},
        {"ubatch_size": 2048},
        four_slots,
        {**four_slots, "kv_unified": True},
        {"kv_offload": False},
        {"gpu_layers": 0},
        {"gpu_layers": 1},
        half,
        {"gpu_layers": blocks},
        {**half, "op_offload": False},
        {"outputs": "batch"},
    ]
    together = [{}, {"ctx_size": long}, half, {"tensor_split": [3.0, 1.0]}]
    if model["expert_count"]:
        alone += [{"cpu_moe": True}, {"cpu_moe": True, "op_offload": False}, {"cpu_moe": True, "ubatch_size": 2048}, {"n_cpu_moe": blocks // 2}]
        together += [{"n_cpu_moe": blocks // 2}]
    if model["nextn_predict_layers"]:
        alone += [{"mtp": "weights"}, {"mtp": "context"}]

    rows = [(changes, devices(ONE)) for changes in alone] + [(changes, devices(TWO)) for changes in together]
    rows += [({}, devices([MUCH, MUCH // 2])), ({}, devices([MUCH] * 4)), ({}, devices(TWO, events=False))]
    return [({**BASE, **changes}, where) for changes, where in rows]


def fits() -> list[tuple[dict, list[dict]]]:
    """(settings, devices) for which llama.cpp is to choose the rest, with a context that is given and one it chooses too."""
    return [({**BASE, "ctx_size": ctx_size}, devices(free)) for free in CARDS for ctx_size in (32768, None)]


def chunks() -> list[tuple[dict, list[dict]]]:
    """(settings, devices) with buffers of more than 1 GiB on devices that hand out no more at once."""
    changes = (
        {"ubatch_size": 8192, "batch_size": 8192},
        {"ubatch_size": 2048, "flash_attn": "off"},
        {"ubatch_size": 4096, "batch_size": 4096, "outputs": "batch"},
    )
    rows = [(change, ONE) for change in (*changes, {"cpu_moe": True, "ubatch_size": 1024})] + [(changes[0], TWO)]
    return [({**BASE, **change}, [{**device, "chunk_bytes": 1 << 30} for device in devices(free)]) for change, free in rows]
