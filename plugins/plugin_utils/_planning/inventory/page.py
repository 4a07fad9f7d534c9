# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An overview as one HTML page: without scripts, and without anything from elsewhere."""

from __future__ import annotations

from html import escape

from ..._units import counted, human
from ..report import PARTS
from .overview import VERDICTS
from .style import STYLE
from .tables import NOTHING, hardware, in_short, missing, runs, speed, summary

MOST_OPEN = 12
"""With more nodes than these each is folded away."""

CLASSES = {"gpu": "gpu", "gpu+ram": "part", "cpu": "cpu", "no": "no", "error": "error"}


def page(overview):
    """The page, without a line end behind the last line."""
    nodes = list(enumerate(overview["nodes"]))
    opened = " open" if len(nodes) <= MOST_OPEN else ""
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>Plans for llama-server</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<h1>Plans for llama-server</h1>",
        f"<p>{escape(summary(overview))}</p>",
        "<h2>What fits where</h2>",
        *_matrix(overview["models"], nodes),
        *_legend(),
        "<h2>Each node</h2>",
    ]
    for number, node in nodes:
        lines += _node(number, node, opened)
    return "\n".join([*lines, "</body>", "</html>"])


def _matrix(models, nodes):
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in models)
    yield f'<div class="wide"><table><thead><tr><th scope="col">Node</th><th scope="col">Has</th>{heads}</tr></thead><tbody>'
    for number, node in nodes:
        cells = {row["name"]: row for row in node["models"]}
        shown = "".join(_cell(number, node, cells.get(name)) for name in models)
        yield f'<tr><th scope="row"><a href="#node{number}">{escape(node["name"])}</a></th><td>{escape(hardware(node))}</td>{shown}</tr>'
    yield "</tbody></table></div>"


def _cell(number, node, row):
    if row is None:
        return f'<td class="error">{NOTHING if node["models"] or not node["error"] else "no plan"}</td>'
    deployed = " <small>deployed</small>" if row["deployed"] else ""
    return f'<td class="{CLASSES[row["verdict"]]}"><a href="#node{number}">{escape(in_short(row))}</a>{deployed}</td>'


def _legend():
    words = "".join(f'<li class="{CLASSES[word]}"><b>{escape(runs({"verdict": word}))}</b> {escape(meaning)}</li>' for word, meaning in VERDICTS.items())
    marks = "".join(f'<li><span class="mark {_part(key)}"></span> {escape(label)}</li>' for key, _mark, label in PARTS)
    yield f'<ul class="legend">{words}</ul>'
    yield f'<ul class="legend">{marks}<li><span class="mark budget"></span> budget: the rest is kept in reserve</li></ul>'


def _node(number, node, opened):
    yield f'<details id="node{number}"{opened}><summary><b>{escape(node["name"])}</b> {escape(hardware(node))}</summary>'
    if node["error"]:
        yield f'<p class="error">{escape(node["error"])}</p>'
    for row in node["models"]:
        yield from _model(row)
    yield "</details>"


def _model(row):
    deployed = " <small>deployed</small>" if row["deployed"] else ""
    yield f'<section class="{CLASSES[row["verdict"]]}"><h3>{escape(row["name"])}{deployed}</h3>'
    if row["verdict"] == "error":
        yield f"<p>{escape(row['error'])}</p></section>"
        return
    yield f"<p><b>{escape(_sentence(row))}</b></p>"
    yield f"<p>{escape(_settings(row))}</p>"
    yield '<div class="memory">'
    for memory in row["memory"]:
        yield _bar(memory)
    yield "</div>"
    for sentences, title in ((row["warnings"], "Warnings"), (row["would_help"], "Would help")):
        if sentences:
            yield f"<p>{title}</p><ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>"
    if row["verdict"] != "no":
        yield f"<pre>{escape(' '.join(row['args']))}</pre>"
    yield "</section>"


def _sentence(row):
    """'GPU: everything is on the GPU, 41 of 41 layers.'"""
    meaning = f"{runs(row)}: {VERDICTS[row['verdict']]}"
    if row["verdict"] == "no":
        return f"{meaning}: {missing(row)}."
    return f"{meaning}, {row['gpu_layers']} of {row['layers_total']} layers on the GPU."


def _settings(row):
    model = row["model"]
    parts = [
        f"{model['name']} {model['quantization']}, {human(model['size_bytes'])}",
        f"context {row['ctx_size']}, {counted(row['parallel'], 'slot')}, KV cache {row['cache_type_k']}/{row['cache_type_v']}",
        f"backend {row['backend']}{' (' + row['image'] + ')' if row['image'] else ''}",
    ]
    rates = [f"{what} about {speed(row, what)}" for what in ("decode", "prefill") if speed(row, what) != NOTHING]
    if rates:
        parts.append(", ".join(rates))
    return "; ".join(parts) + "."


def _bar(memory):
    """A bar of what is free, or of what would be needed where that is more, with a line where the budget ends."""
    whole = max(memory["free_bytes"], memory["used_bytes"], 1)
    parts = [(key, label, memory[key]) for key, _mark, label in PARTS if memory[key]]
    told = f"{human(memory['used_bytes'])} of {human(memory['free_bytes'])}, budget {human(memory['budget_bytes'])}"
    words = f"{told}: {', '.join(f'{label} {human(size)}' for _key, label, size in parts) or 'nothing'}"
    drawn = "".join(f'<span class="{_part(key)}" style="width:{_share(size, whole)}%"></span>' for key, _label, size in parts)
    budget = f'<i style="left:{_share(memory["budget_bytes"], whole)}%"></i>'
    over = " over" if memory["used_bytes"] > memory["free_bytes"] else ""
    where = escape(memory["where"])
    return (
        f'<div>{where}</div><div class="bar{over}" role="img" aria-label="{where}: {escape(words)}">{drawn}{budget}</div>'
        f'<div class="told{over}"><b>{escape(told)}</b><br><small>{escape(words.partition(": ")[2])}</small></div>'
    )


def _share(size, whole):
    return f"{100 * min(size / whole, 1):.2f}"


def _part(key):
    """The class of a part: 'weights' for weights_bytes."""
    return key.removesuffix("_bytes")
