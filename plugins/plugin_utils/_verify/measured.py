# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was predicted and what was measured, side by side, to be kept beside a server. Nothing is scaled by it."""

from __future__ import annotations

from .inputs import checked_info, number, part, planned_memory, rows, section

SCHEMA = 1

LEAST_ANSWER_TOKENS = 16
LEAST_PROMPT_TOKENS = 256
"""Fewer say more about the start of a request than about its speed."""


def measured(plan, info):
    """C({schema, of, predicted, measured, notes}): what the plan says of speed and memory, and what the server's answer, log and processes say."""
    part(plan, "throughput")
    part(plan, "model")
    checked_info(info)
    answer, notes = section(info, "answer"), []
    found = {
        "schema": SCHEMA,
        "of": _of(plan, info),
        "predicted": {"decode": _predicted(plan, "decode", "context_tokens"), "prefill": _predicted(plan, "prefill", "batch_tokens"), **_planned(plan)},
        "measured": {"decode": _decode(answer, notes), "prefill": _prefill(answer, notes), **_held(plan, info)},
        "notes": notes,
    }
    if not answer:
        notes[:] = ["No speed: nothing was asked (ask of llama_server_info)."]
    return found


def _of(plan, info):
    """What the figures belong to."""
    model = plan["model"]
    return {
        **{key: model.get(key) for key in ("name", "quantization", "parameters")},
        "backend": plan.get("backend"),
        "args": section(plan, "server").get("args"),
        "build": info.get("build_info"),
    }


def _predicted(plan, what, condition):
    told = section(plan["throughput"], what)
    return {
        "tokens_per_second": told.get("tokens_per_second_expected"),
        "tokens_per_second_low": told.get("tokens_per_second_low"),
        "tokens_per_second_high": told.get("tokens_per_second_high"),
        condition: told.get(condition),
    }


def _planned(plan):
    devices, host = planned_memory(plan)
    return {
        "devices": [
            {"name": row.get("name"), "buffers_bytes": number(row, "total_bytes"), "held_bytes": _sum(row, "total_bytes", "overhead_bytes")} for row in devices
        ],
        "ram": {"buffers_bytes": number(host, "total_bytes"), "held_bytes": number(host, "min_ram_bytes")},
    }


def _sum(row, *keys):
    return None if any(number(row, key) is None for key in keys) else sum(row[key] for key in keys)


def _decode(answer, notes):
    tokens, rate = number(answer, "completion_tokens"), _rate(answer, "predicted_per_second")
    if rate is None or tokens is None or tokens < LEAST_ANSWER_TOKENS:
        notes.append(f"No speed of decoding: it takes an answer of {LEAST_ANSWER_TOKENS} tokens, this one has {tokens or 0}.")
        return None
    return {"tokens_per_second": rate, "tokens": tokens, "context_tokens": (number(answer, "prompt_tokens") or 0) + tokens}


def _prefill(answer, notes):
    tokens, rate = number(answer, "prompt_tokens_processed"), _rate(answer, "prompt_per_second")
    if rate is None or tokens is None or tokens < LEAST_PROMPT_TOKENS:
        notes.append(f"No speed of prefill: it takes a prompt of {LEAST_PROMPT_TOKENS} tokens that are not cached, this one has {tokens or 0}.")
        return None
    return {"tokens_per_second": rate, "tokens": tokens}


def _rate(answer, key):
    rate = answer.get(key)
    return float(f"{rate:.3g}") if isinstance(rate, (int, float)) and not isinstance(rate, bool) and 0 < rate < 1e9 else None


def _held(plan, info):
    """The buffers that were logged, and what the process holds: that of a GPU where it is known by its uuid, or there is but one."""
    memory, process = section(section(info, "log"), "memory"), section(info, "process")
    buffers = {row.get("name"): number(row, "total_bytes") for row in rows(memory, "devices")}
    uuids = {gpu.get("device"): gpu.get("uuid") for gpu in rows(section(plan, "node"), "gpus")}
    seen, names = rows(process, "gpus"), [row.get("name") for row in planned_memory(plan)[0]]

    def held(name):
        mine = [row for row in seen if uuids.get(name) and row.get("uuid") == uuids[name]]
        mine = mine or (seen if len(seen) == len(names) == 1 else [])
        return number(mine[0], "used_bytes") if mine else None

    return {
        "devices": [{"name": name, "buffers_bytes": buffers.get(name), "held_bytes": held(name)} for name in names],
        "ram": {"buffers_bytes": number(section(memory, "host"), "total_bytes"), "held_bytes": number(process, "rss_anon_bytes")},
    }
