# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Settings and devices by chance, from a seed: what the memory rules say against what llama.cpp says, far from the grid of tests/truth."""

from __future__ import annotations

import concurrent.futures
import fnmatch
import json
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import checkout
import question
import truth

sys.path.insert(0, str(checkout.linked()))

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import devices_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._model import Model, model_from_plain

SLACK_MIB = 16
SLACK = 0.05
"""How far above llama.cpp a compute buffer may be, whichever is more; tests/truth/compare.py has the same bounds."""

MOST_UNLIKE = 0.02
"""Some combinations that nobody would run are known to differ; some of them llama.cpp stops at."""

UNLIKE = ("wrong", "refused by llama.cpp", "refused by us")
CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q4_0", "iq4_nl")
PATTERNS = (
    r"blk\.(0|2)\.ffn_(up|gate|down).*=CPU", r"ffn_down.*=CPU", r"blk\.1\..*=CPU", r"attn_.*=CPU", r"output\.weight=CPU", r"token_embd\.weight=CUDA0",
    r"blk\.0\..*_exps.*=CUDA0",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """C(verdict): equal (every part the same number of MiB), near, wrong, or refused by both or by one; C(why) says more of the latter."""

    model: str
    settings: dict
    devices: list[dict]
    verdict: str
    why: str = ""


def ask(count: int, seed: int, pattern: str) -> Iterator[Asked]:
    """C(count) questions about models that match."""
    chance = random.Random(seed)
    names = sorted(path.name for path in truth.HEADERS.glob("*.gguf") if fnmatch.fnmatch(path.name, pattern))
    drawn = [_draw(chance, chance.choice(names)) for _number in range(count)]
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        yield from pool.map(lambda each: _compare(*each), drawn)


@cache
def _model(name: str) -> Model:
    return model_from_plain(read_model(str(truth.HEADERS / name)))


def _draw(chance: random.Random, name: str) -> tuple[str, dict, list[dict]]:
    model = _model(name)
    parallel = chance.choice((1, 1, 2, 3, 4, 8))
    kind = chance.choice(CACHE_TYPES)
    settings = {
        "ctx_size": chance.choice((512, 1000, 4096, 10000, 32768, 65536, min(model.n_ctx_train, 1 << 20), chance.randint(256, 200_000))),
        "flash_attn": chance.choice(("on", "on", "off")),
        "cache_type_k": kind,
        "cache_type_v": kind if chance.random() < 0.8 else chance.choice(CACHE_TYPES),
        "batch_size": chance.choice((2048, 2048, 512, 4096, chance.randint(32, 4096))),
        "ubatch_size": chance.choice((512, 512, 64, 1024, 2048, chance.randint(1, 4096))),
        "parallel": parallel,
        "kv_unified": chance.random() < 0.5,
        "gpu_layers": chance.choice(("all", "all", 0, 1, model.n_layer_all, chance.randint(0, model.n_layer_all + 1))),
        "kv_offload": chance.random() < 0.85,
        "op_offload": chance.random() < 0.8,
        "outputs": chance.choice((parallel, parallel, "batch")),
    }
    if model.n_expert and chance.random() < 0.4:
        settings.update(chance.choice(({"cpu_moe": True}, {"n_cpu_moe": chance.randint(0, model.n_layer_all)})))
    if chance.random() < 0.15:
        settings["override_tensor"] = chance.sample(PATTERNS, chance.randint(1, 2))
    if model.n_layer_nextn and chance.random() < 0.5:
        settings["mtp"] = chance.choice(("weights", "context"))
    events = chance.random() < 0.8
    devices = [
        {"free_mib": chance.choice((900_000, 24_000, 12_000, chance.randint(2000, 90_000))), "events": events}
        for _gpu in range(chance.choice((1, 1, 2, 2, 3, 4)))
    ]
    if "override_tensor" not in settings and chance.random() < 0.25:
        for number, device in enumerate(devices[: chance.randint(1, len(devices))]):
            device.update(name=f"RPC{number}", remote=True, events=True)
        for number, device in enumerate(device for device in devices if "remote" not in device):
            device["name"] = f"CUDA{number}"
    if len(devices) > 1 and chance.random() < 0.4:
        settings["tensor_split"] = [float(chance.randint(0, 5)) for _device in devices]
        if not any(settings["tensor_split"]):
            del settings["tensor_split"]
    return name, settings, devices


def _compare(name: str, settings: dict, devices: list[dict]) -> Asked:
    model = _model(name)
    try:
        allocation, ours = allocate(model, resolve(settings, model), devices_from_plain(devices)), ""
    except InfraError as error:
        allocation, ours = None, str(error).partition("\n")[0]
    try:
        answer, theirs = question.ask(truth.HEADERS / name, settings, devices), ""
    except question.Refused as refused:
        answer, theirs = None, str(refused)
    if allocation is None or answer is None:
        both = allocation is None and answer is None
        why = theirs if allocation else ours
        return Asked(name, settings, devices, "refused by both" if both else "refused by llama.cpp" if allocation else "refused by us", why)
    rows = zip([*range(len(devices)), "host"], (*allocation.devices, allocation.host), (*answer["devices"], answer["host"]))
    found = [(where, part, getattr(buffers, f"{part}_bytes"), told[f"{part}_bytes"]) for where, buffers, told in rows for part in question.PARTS]
    wrong = [
        f"{where} {part} {(ours - theirs) / question.MIB:+.1f} to {theirs / question.MIB:.1f} MiB"
        for where, part, ours, theirs in found
        if _is_wrong(part, ours, theirs)
    ]
    same = all(ours // question.MIB == theirs // question.MIB for _where, _part, ours, theirs in found)
    return Asked(name, settings, devices, "wrong" if wrong else "equal" if same else "near", ", ".join(wrong))


def _is_wrong(part: str, ours: int, theirs: int) -> bool:
    difference = (ours - theirs) / question.MIB
    if part != "compute":
        return abs(difference) > 1
    return difference < -1 or difference > max(SLACK_MIB, SLACK * theirs / question.MIB)


def as_text(asked: Asked) -> str:
    return f"{asked.verdict}: {asked.model} {json.dumps(asked.settings)} on {json.dumps(asked.devices)}: {asked.why}"
