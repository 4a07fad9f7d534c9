# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Our plan against what llama.cpp's --fit chose, for each row of tests/truth/fit.jsonl, at its context, settings and margin.

Ours is worse where it keeps fewer weights on the GPUs and isn't predicted to decode faster either. It is checked by llama.cpp
with the plan's own flags.
"""

from __future__ import annotations

import concurrent.futures
import fnmatch
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import checkout
import plans
import question
import truth

sys.path.insert(0, str(checkout.linked()))

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import HOST, Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.layout import layout
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.weights import EXPERTS, INPUT, placed_tensors
from ansible_collections.prositronic.infra.plugins.plugin_utils._model import Model, model_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

MARGIN_MIB = 1024
# Bytes per second that the prediction is made with: a GPU with GDDR6 and two channels of DDR5. Only the order of rates matters.
GPU_BANDWIDTH, RAM_BANDWIDTH = 600e9, 60e9
SAME = 1.001
LEAST_OF_FIT, KEPT = 4096, 32768
CHOSEN = re.compile(r"status (?P<status>\d) -c (?P<ctx_size>\d+) -ngl (?P<gpu_layers>-?\d+) -ts (?P<split>[\d.,]+) (?P<overrides>.*)n_ot=\d+$")
FIXED = ("flash_attn", "cache_type_k", "cache_type_v", "ubatch_size", "batch_size", "parallel", "kv_unified", "kv_offload", "op_offload")


@dataclass(frozen=True)
class Compared:
    """One row: C(verdict) is better, equal, worse, over budget or refused; C(why) says more where it is needed.

    MiB of weights on the GPUs, and predicted tokens per second, of ours and of llama.cpp's.
    """

    row: dict
    verdict: str
    why: str = ""
    ours_mib: float = 0
    theirs_mib: float = 0
    ours_rate: float = 0
    theirs_rate: float = 0
    seconds: float = 0


def rows(pattern: str, sample: int | None) -> list[dict]:
    """The rows of models that match; C(sample) of them, evenly spread."""
    found = [json.loads(line) for line in (truth.TRUTH / truth.FIT).read_text(encoding="utf-8").splitlines()]
    found = [row for row in found if fnmatch.fnmatch(row["model"], pattern)]
    if sample is None or sample >= len(found):
        return found
    return [found[index * len(found) // sample] for index in range(sample)]


def compare(chosen: list[dict]) -> Iterator[Compared]:
    """Each row compared, in the order of the rows."""
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        yield from pool.map(_compare, chosen)


@cache
def _model(name: str) -> tuple[dict, Model]:
    plain = read_model(str(truth.HEADERS / name))
    return plain, model_from_plain(plain)


def _compare(row: dict) -> Compared:
    plain, model = _model(row["model"])
    devices = tuple(Device(f"CUDA{number}", device["free_mib"] * question.MIB, device["events"]) for number, device in enumerate(row["devices"]))
    theirs = _theirs(row)
    wishes = {name: row["settings"][name] for name in FIXED} | {"ctx_size": theirs["ctx_size"], "reserve_bytes": MARGIN_MIB * question.MIB}
    start = time.perf_counter()
    try:
        made = plan(plain, plans.facts(tuple(device["free_mib"] for device in row["devices"]), plans.MUCH_RAM), wishes)
    except InfraError as error:
        return Compared(row, "refused", str(error).partition("\n")[0])
    seconds = time.perf_counter() - start
    settings = plans.settings_of(made["server"]["args"])
    answer = question.ask(truth.HEADERS / row["model"], {**settings, "outputs": row["settings"]["outputs"]}, row["devices"])
    limits = tuple((device["free_mib"] - MARGIN_MIB) * question.MIB for device in row["devices"])
    used = [sum(device[f"{part}_bytes"] for part in question.PARTS) for device in answer["devices"]]
    over = max(size - limit for size, limit in zip(used, limits)) / question.MIB
    figures = {
        "ours_mib": sum(device["weights_bytes"] for device in answer["devices"]) / question.MIB,
        "theirs_mib": sum(device["weights"] for device in row["expected"]["devices"]),
        "ours_rate": _rate(model, {**row["settings"], **_placement(made)}, devices),
        "theirs_rate": _rate(model, {**row["settings"], **theirs}, devices),
        "seconds": seconds,
    }
    if over > 0 and made["fits"]:
        return Compared(row, "over budget", f"{over:.0f} MiB over the budget", **figures)
    if not made["fits"]:
        return Compared(row, "refused", "nothing fits, the plan says", **figures)
    # llama.cpp's are rounded down, for each device
    if figures["ours_mib"] < figures["theirs_mib"] and figures["ours_rate"] <= figures["theirs_rate"]:
        return Compared(row, "worse", _why(row, made, answer, figures, limits), **figures)
    more = figures["ours_mib"] >= figures["theirs_mib"] + len(devices) + 1 or figures["ours_rate"] > figures["theirs_rate"] * SAME
    return Compared(row, "better" if more else "equal", **figures)


def kept(chosen: list[dict]) -> Iterator[bool]:
    """For each row in which --fit, with no context given, came down to its least: whether a plan for KEPT tokens is within the budget."""
    for row in chosen:
        if row["settings"]["ctx_size"] is None and _theirs(row)["ctx_size"] == LEAST_OF_FIT:
            plain, model = _model(row["model"])
            wishes = {"ctx_size": min(KEPT, model.n_ctx_train), "parallel": row["settings"]["parallel"], "reserve_bytes": MARGIN_MIB * question.MIB}
            made = plan(plain, plans.facts(tuple(device["free_mib"] for device in row["devices"]), plans.MUCH_RAM), wishes)
            answer = question.ask(truth.HEADERS / row["model"], plans.settings_of(made["server"]["args"]), row["devices"])
            used = [sum(device[f"{part}_bytes"] for part in question.PARTS) / question.MIB for device in answer["devices"]]
            yield made["fits"] and all(size <= device["free_mib"] - MARGIN_MIB for size, device in zip(used, row["devices"]))


def _placement(made: dict) -> dict:
    """The settings that a plan chose here; all others are the row's."""
    placement = made["placement"]
    return {
        "ctx_size": made["context"]["ctx_size"],
        **{name: placement[name] for name in ("gpu_layers", "n_cpu_moe", "override_tensor")},
        "tensor_split": placement["layers_per_gpu"] if any(placement["layers_per_gpu"]) else None,
    }


def _theirs(row: dict) -> dict:
    """The settings that llama.cpp chose."""
    found = CHOSEN.match(row["fit"])
    if found is None:
        raise question.Wrong(f"a row of {truth.FIT} that isn't a fit: {row['fit']}")
    split = [float(part) for part in found["split"].rstrip(",").split(",")][: len(row["devices"])]
    gpu_layers = int(found["gpu_layers"])
    return {
        "ctx_size": int(found["ctx_size"]),
        "gpu_layers": "all" if gpu_layers < 0 else gpu_layers,
        "tensor_split": split if any(split) else None,
        "override_tensor": re.findall(r"ot\[(.*?)\](?= |$)", found["overrides"]),
    }


def _rate(model: Model, plain: dict, devices: tuple[Device, ...]) -> float:
    """Tokens per second by what a token reads: weights, of experts those used, and half of the cache."""
    settings = resolve(plain, model)
    where = layout(model, settings, devices)
    experts = model.integer("expert_count", 0)
    share = model.n_expert_used / experts if experts else 1
    read = {True: 0.0, False: 0.0}
    for device, size, group, _block in placed_tensors(model, settings, devices, where):
        if group.name not in INPUT or device != HOST:
            read[device == HOST] += size * share if EXPERTS.search(group.name) else size
    for block, size in enumerate(families.cache(model, settings)):
        read[where.blocks[block] == HOST or not settings.kv_offload] += size / 2
    return 1 / (read[True] / RAM_BANDWIDTH + read[False] / GPU_BANDWIDTH)


def _why(row: dict, made: dict, answer: dict, figures: dict, limits: tuple[int, ...]) -> str:
    """A named reason with numbers."""
    lacking = figures["theirs_mib"] - figures["ours_mib"]
    counted = sum(ours["compute_bytes"] - theirs["compute_bytes"] for ours, theirs in zip(made["memory"]["devices"], answer["devices"])) / question.MIB
    theirs_over = max(sum(device[part] for part in question.PARTS) - limit / question.MIB for device, limit in zip(row["expected"]["devices"], limits))
    said = f"{lacking:.0f} MiB fewer weights"
    if theirs_over > 0:
        return f"{said}: --fit leaves {theirs_over:.0f} MiB less than its margin"
    if counted > 0 and counted >= lacking / 2:
        return f"{said}: compute buffers are counted {counted:.0f} MiB above llama.cpp's"
    unused = [(limit - sum(device[f"{part}_bytes"] for part in question.PARTS)) / question.MIB for limit, device in zip(limits, answer["devices"])]
    return f"{said}: whole tensors, {', '.join(f'{size:.0f}' for size in unused)} MiB unused, compute counted {counted:.0f} MiB above llama.cpp's"
