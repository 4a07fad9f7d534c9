# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models that are dictionaries of the right shape and absurd for the memory rules, with settings to ask about."""

from __future__ import annotations

import copy

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache.families import KINDS
from ansible_collections.prositronic.infra.tests.fuzz.headers import BLOCK_TENSORS, COUNTS, FLOATS, KEYS

GIB = 1024**3
ARCHITECTURES = (*sorted(KINDS), "unknown", "general", "", "../x", None, 5, ["llama"])
ODD = (None, True, "", "4", "llama", "\x1b[2J", [], {}, [[]], [None], -1, 0, 1.5, "9" * 5000, 10**400, "n" * 100_000)

SETTINGS = {
    "ctx_size": (256, 4096, 131072, (1 << 31) - 1),
    "flash_attn": ("on", "off"),
    "cache_type_k": ("f16", "q8_0"),
    "cache_type_v": ("f16", "q4_0"),
    "batch_size": (1, 64, 4096),
    "ubatch_size": (1, 512),
    "parallel": (1, 3, 64),
    "kv_unified": (True, False),
    "kv_offload": (True, False),
    "op_offload": (True, False),
}
PLACEMENT = {"gpu_layers": (0, 1, 2, 99, "all"), "cpu_moe": (True,), "n_cpu_moe": (0, 1, 99), "mtp": ("weights",), "outputs": (1, "batch")}
FREE_BYTES = (64 * 1024, 2 * GIB, 24 * GIB, 1 << 50)


def absurd(chance, base):
    """A copy of the plain model C(base) with a few things wrong."""
    model = copy.deepcopy(base)
    for _change in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
        change = chance.choice((_key, _key, _key, _lists, _row, _rows, _architecture, _top))
        change(chance, model)
    return model


def question(chance):
    """Devices and settings for llama_memory, node and wishes for llama_plan: possible ones."""
    settings = _some(chance, SETTINGS)
    free_bytes = chance.choice(FREE_BYTES)
    host = {"memory_total_bytes": 64 * GIB, "memory_available_bytes": chance.choice((GIB, 60 * GIB))}
    gpu = {"vendor": "nvidia", "name": "GPU", "memory_total_bytes": free_bytes, "memory_free_bytes": free_bytes}
    return {
        "devices": [{"free_bytes": free_bytes}] * chance.choice((0, 1, 1, 2)),
        "settings": {**settings, **_some(chance, PLACEMENT)},
        "node": {"devices": [gpu], "host": host},
        "wishes": {name: value for name, value in settings.items() if name != "ctx_size" or chance.random() < 0.5},
    }


def _some(chance, choices):
    return {name: chance.choice(choices[name]) for name in sorted(choices) if chance.randrange(4) == 0}


def _odd(chance, *more):
    """A new one each time: what is put into a model is changed there."""
    return copy.deepcopy(chance.choice((*ODD, *more)))


def _number(chance):
    return chance.choice((*range(9), *COUNTS, *FLOATS, -1, -(1 << 31)))


def _key(chance, model):
    """One hyperparameter away, or another value."""
    keys = model["hyperparameters"]
    if not isinstance(keys, dict):
        return
    key = chance.choice((*KEYS, *sorted(keys)))
    if chance.randrange(6) == 0:
        keys.pop(key, None)
    else:
        keys[key] = _number(chance) if chance.randrange(4) else _odd(chance)


def _lists(chance, model):
    """A list where a number was, of the right length or not."""
    keys = model["hyperparameters"]
    if isinstance(keys, dict):
        blocks = keys.get("block_count")
        length = chance.choice((0, 1, 2, 3, 600, blocks if isinstance(blocks, int) and 0 < blocks <= 600 else 2))
        keys[chance.choice(KEYS)] = [chance.choice((0, 1, 2, _number(chance))) for _item in range(length)]


def _row(chance, model):
    """One row of the tensor table with something else in it."""
    rows = model["tensors"]
    if not isinstance(rows, list) or not rows:
        return
    row = chance.choice(rows)
    if not isinstance(row, dict) or "name" not in row:
        return
    what = chance.randrange(6)
    if what == 0:
        row.pop(chance.choice(sorted(row)))
    elif what == 1:
        row["blocks"] = _odd(chance, "0", "0-1", "1-0", "0,0", "0-511", "0-512", "0-99999999999", "a", "0-", "١", ",".join("0" * 5000))
    elif what == 2:
        row["shape"] = _odd(chance, [0], [1], [-1], [1.5], [True], [1 << 63], [1 << 32, 1 << 32], [64] * 5, ["64"], [64, 64])
    elif what == 3:
        row["size_bytes"] = _odd(chance, *COUNTS, *FLOATS)
    elif what == 4:
        row["type"] = _odd(chance, "F32", "Q4_K", "Q8_0", "Q9")
    else:
        row["name"] = _odd(
            chance, *(f"blk.*.{name}.weight" for name in BLOCK_TENSORS), "output.weight", "token_embd.weight", "a,b=c", "blk.*.ffn_up_exps7.weight"
        )


def _rows(chance, model):
    rows = model["tensors"]
    if not isinstance(rows, list):
        return
    what = chance.randrange(4)
    if what == 0:
        rows.clear()
    elif what == 1 and rows:
        del rows[chance.randrange(len(rows))]
    elif what == 2 and rows:
        rows.append(copy.deepcopy(chance.choice(rows)))
    else:
        rows.append(_odd(chance))


def _architecture(chance, model):
    model["architecture"] = chance.choice(ARCHITECTURES)


def _top(chance, model):
    key = chance.choice(sorted(model))
    if chance.randrange(3) == 0:
        # Not what every other change needs.
        if key not in ("hyperparameters", "tensors"):
            del model[key]
    else:
        model[key] = _odd(chance)
