# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan as text for a person: what goes where, as bars, and why."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, printable, shown

from .._units import counted, human

WIDTH = 48
PARTS = (
    ("weights_bytes", "█", "weights"),
    ("kv_bytes", "▓", "KV cache"),
    ("compute_bytes", "▒", "compute"),
    ("checkpoints_bytes", "▚", "checkpoints"),
    ("cache_ram_bytes", "░", "prompt cache"),
)
FREE = "·"


def report(plan, question=None, answer=None):
    """The report of a plain plan, without a line end; with the C(answer) of llama_server_info, what the server said.

    Raises InfraError for a dictionary that is no plan.
    """
    if not is_plan(plan):
        raise InfraError("not a plan", got=shown(plan), expected="what the filter prositronic.infra.llama_plan returns")
    lines = [
        *_head(plan),
        "",
        *_memory(plan),
        *_nodes(plan.get("multi_node")),
        "",
        *_settings(plan),
        "",
        "Why",
        *(f"  - {reason}" for reason in (*plan["reasons"], *plan["throughput"]["notes"])),
        *(f"  ! {warning}" for warning in plan["warnings"]),
        *_beside(plan),
        *_answer(question, answer),
    ]
    return "\n".join(map(printable, lines))


def is_plan(made):
    return isinstance(made, dict) and all(part in made for part in ("memory", "placement", "compute", "alternatives"))


def _head(plan):
    model, node = plan["model"], plan["node"]
    gpus = ", ".join(f"{gpu['name']} ({human(gpu['memory_total_bytes'])})" for gpu in node["gpus"]) or "no GPU"
    verdict = "fits" if plan["fits"] else "DOES NOT FIT"
    return [
        f"{model['name']} {model['quantization']} on {node['name']}: {verdict}",
        f"  model  {model['architecture']}, {_count(model['parameters'])} parameters, {human(model['size_bytes'])}",
        f"  node   {gpus}, {human(node['memory_total_bytes'])} of RAM",
    ]


def _count(number):
    return f"{number / 1e9:.1f} billion" if number >= 1e9 else f"{number / 1e6:.1f} million"


def _memory(plan):
    legend = "  ".join(f"{mark} {label}" for _key, mark, label in PARTS)
    rows = [(row["name"], row, row["free_bytes"]) for row in plan["memory"]["devices"]]
    rows.append(("RAM", plan["memory"]["host"], plan["memory"]["host"]["available_bytes"]))
    width = max(len(name) for name, _row, _free in rows)
    return [f"Memory ({legend}  {FREE} free)", *(_row(name.ljust(width), row, free) for name, row, free in rows)]


def _row(name, row, free_bytes):
    parts = ", ".join(f"{label} {human(row[key])}" for key, _mark, label in PARTS if row.get(key))
    used = sum(row.get(key, 0) for key, _mark, _label in PARTS)
    return f"  {name} [{_bar(row, free_bytes)}] {human(used)} of {human(free_bytes)}: {parts or 'nothing'}"


def _bar(row, free_bytes):
    """C(WIDTH) cells for what is free; a part that is there at all has a cell, and what is over the end is cut."""
    cells = ""
    for key, mark, _label in PARTS:
        size = row.get(key, 0)
        if size:
            cells += mark * max(round(size / max(free_bytes, 1) * WIDTH), 1)
    return cells[:WIDTH].ljust(WIDTH, FREE)


def _nodes(team):
    """A line for the head and for each worker of a plan for several nodes."""
    if team is None:
        return
    yield from ("", f"Nodes, {'worth it' if team['worth_it'] else 'NOT WORTH IT'}", f"  {team['head']}: the head, with llama-server")
    for worker in team["workers"]:
        devices = ", ".join(f"{device['rpc_name']} is {device['name']}" for device in worker["devices"])
        yield f"  {worker['node']}: ggml-rpc-server {' '.join(worker['args'])} ({devices}), needs {human(worker['min_ram_bytes'])} of RAM"


def _settings(plan):
    context, placement = plan["context"], plan["placement"]
    work = plan["compute"]
    slots = counted(context["parallel"], "slot")
    apart = f", parts of {counted(placement['blocks_partly_in_ram'], 'block')} in RAM" if placement["blocks_partly_in_ram"] else ""
    lines = [
        f"Layers   {placement['gpu_layers']} of {placement['layers_total']} on the GPU{apart}",
        f"Context  {context['ctx_size']} tokens, {slots}, KV cache {context['cache_type_k']}/{context['cache_type_v']}",
        f"Work     batches of {work['ubatch_size']} tokens, flash attention {_on(work['flash_attn'])}, {_loading(work)}",
        f"Backend  {plan['backend']}" + (f" ({plan['image']})" if plan["image"] else ""),
    ]
    return [*lines, *_ram(plan["memory"]["host"]), *_speed(plan["throughput"]), f"Flags    {' '.join(plan['server']['args'])}"]


def _ram(host):
    yield f"RAM      needs {human(host['min_ram_bytes'])} to start, {human(host['recommended_ram_bytes'])} to run without paging"


def _speed(throughput):
    """Two lines: 'Decode   about 9.7 tokens/s (6.8 to 11.9), bound by CUDA0 memory'."""
    for what in ("decode", "prefill"):
        told = throughput[what]
        expected, low, high = (told[f"tokens_per_second_{which}"] for which in ("expected", "low", "high"))
        if expected is not None:
            guessed = ", from assumed rates" if throughput["assumed"] and told["tokens_per_second_at_most"] is None else ""
            measured = _measured(throughput, what)
            yield f"{what.title().ljust(8)} about {expected:g} tokens/s ({low:g} to {high:g}), bound by {told['bound_by']}{guessed}{measured}"


def _measured(throughput, what):
    """'; measured 10.2', or nothing."""
    measured = throughput.get("measured")
    told = measured[what] if measured else None
    if told is None:
        return f"; the measurement does not apply: {measured['why_not']}" if measured and not measured["applies"] else ""
    return f"; measured {told['tokens_per_second']:g}" + ("" if measured["same_settings"] else " with other settings")


def _on(value):
    return "on" if value else "off"


def _loading(work):
    return f"op_offload {_on(work['op_offload'])}, load mode {work['load_mode']}"


def _beside(plan):
    """What was not taken, and what would help."""
    lines = []
    if plan["alternatives"]:
        lines += ["", "Not taken", *(f"  - {_flags(row['settings'])}: {row['gives']}; {row['why_not']}." for row in plan["alternatives"])]
    if plan["would_help"]:
        lines += ["", "Would help", *(f"  + {sentence}" for sentence in plan["would_help"])]
    return lines


def _flags(settings):
    """'KV cache q8_0', 'flash_attn off', 'ubatch_size 512'."""
    settings = dict(settings)
    kind = settings.pop("cache_type_v", None)
    words = [f"{name} {_on(value) if isinstance(value, bool) else value}" for name, value in settings.items() if name != "cache_type_k"]
    return ", ".join([f"KV cache {kind}", *words] if kind else words)


def _answer(question, answer):
    if answer is None:
        return []
    rate = answer.get("predicted_per_second")
    speed = f", {rate:.1f} tokens/s" if rate else ""
    return ["", f"Asked    {question or ''}", f"Answered {_one_line(answer.get('content') or '')}{speed}"]


def _one_line(text, limit=120):
    """A model's answer, which may have many lines, on one."""
    text = printable(text)
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
