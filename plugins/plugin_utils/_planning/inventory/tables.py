# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of an overview as rows of text, for formats that draw them in their own way."""

from __future__ import annotations

from ..._units import counted, human

NOTHING = "-"
MOST_COLUMNS = 6
"""With more models than these a table of nodes by models can't be read, and the one by rows has to do."""

DETAILS = ("Node", "Model", "Runs", "Layers", "Context", "GPU memory", "RAM", "Decode", "Backend", "Missing")


def matrix(overview):
    """(heads, rows): a column for each model. None where there is nothing to compare, or too much."""
    models = overview["models"]
    if not 1 < len(models) <= MOST_COLUMNS:
        return None
    rows = []
    for node in overview["nodes"]:
        cells = {row["name"]: in_short(row) for row in node["models"]}
        rows.append((node["name"], hardware(node), *(cells.get(name, "no plan" if node["error"] and not cells else NOTHING) for name in models)))
    return ("Node", "Has", *models), rows


def details(overview):
    """(heads, rows): a row for each model on each node."""
    several = any(len(node["models"]) > 1 for node in overview["nodes"])
    rows = []
    for node in overview["nodes"]:
        rows += [_detail(node["name"], row, several) for row in node["models"]]
        if node["error"]:
            rows.append((node["name"], NOTHING, "error", *[NOTHING] * (len(DETAILS) - 4), "see below"))
    return DETAILS, rows


def errors(overview):
    """A sentence for each plan that was not made."""
    for node in overview["nodes"]:
        if node["error"]:
            yield f"{node['name']}: {node['error']}"
        yield from (f"{node['name']}, {row['name']}: {row['error']}" for row in node["models"] if row["error"])


def summary(overview):
    """'3 nodes, 2 models: 4 plans fit, 1 does not, 1 was not made.'"""
    verdicts = [row["verdict"] for node in overview["nodes"] for row in node["models"]]
    not_made = verdicts.count("error") + sum(1 for node in overview["nodes"] if node["error"])
    refused = verdicts.count("no")
    parts = [f"{counted(len(verdicts) - verdicts.count('error') - refused, 'plan')} fit"]
    if refused:
        parts.append(f"{refused} {'does' if refused == 1 else 'do'} not")
    if not_made:
        parts.append(f"{not_made} {'was' if not_made == 1 else 'were'} not made")
    return f"{counted(len(overview['nodes']), 'node')}, {counted(len(overview['models']), 'model')}: {', '.join(parts)}."


def hardware(node):
    """'2 x NVIDIA L4, 512.0 GiB of RAM'."""
    if node["memory_total_bytes"] is None:
        return NOTHING
    count = {}
    for gpu in node["gpus"]:
        name = f"{gpu['name']} {human(gpu['memory_total_bytes'])}"
        count[name] = count.get(name, 0) + 1
    gpus = [name if number == 1 else f"{number} x {name}" for name, number in count.items()]
    return ", ".join([*(gpus or ["no GPU"]), f"{human(node['memory_total_bytes'])} of RAM"])


def in_short(row):
    """'GPU, 21504 tokens, 11.5 t/s', or what is missing."""
    if row["verdict"] == "error":
        return "no plan"
    if row["verdict"] == "no":
        return f"no: {missing(row)}"
    rate = speed(row)
    return f"{runs(row)}, {row['ctx_size']} tokens{'' if rate == NOTHING else f', {rate}'}"


def runs(row):
    """Where it runs: 'GPU', 'GPU+RAM', 'CPU', 'no', 'error'."""
    return row["verdict"] if row["verdict"] in ("no", "error") else row["verdict"].upper()


def speed(row, what="decode"):
    """'11.5 t/s', where it runs and that is known."""
    rate = row[f"{what}_tokens_per_second"]
    return NOTHING if rate is None or row["verdict"] == "no" else f"{rate:g} t/s"


def missing(row):
    """'RAM lacks 316.1 GiB (budget 62.0 GiB)', or what else would be needed."""
    lacking = [f"{one['where']} lacks {human(one['missing_bytes'])} (budget {human(one['budget_bytes'])})" for one in row["missing"]]
    return ", ".join(lacking) or next(iter(row["would_help"]), "it does not fit").rstrip(".")


def name_in(row, several):
    """The model's name, with a mark where it is the deployed one among others."""
    return f"{row['name']} *" if several and row["deployed"] else row["name"]


def _detail(node, row, several):
    name = name_in(row, several)
    if row["verdict"] == "error":
        return (node, name, "error", *[NOTHING] * (len(DETAILS) - 4), "see below")
    *gpus, ram = row["memory"]
    return (
        node,
        name,
        runs(row),
        f"{row['gpu_layers']}/{row['layers_total']}",
        str(row["ctx_size"]),
        _of(gpus) if gpus else NOTHING,
        _of([ram]),
        speed(row),
        row["backend"],
        missing(row) if row["verdict"] == "no" else NOTHING,
    )


def _of(rows):
    """'20.9 of 22.0 GiB'."""
    used, free = (sum(row[key] for row in rows) for key in ("used_bytes", "free_bytes"))
    return f"{human(used)} of {human(free)}"
