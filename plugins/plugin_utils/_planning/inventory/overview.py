# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What fits where, as plain data: the nodes of an inventory, and under each the models that were planned for it.

Every format is written from this alone.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, printable, shown

from ..report import PARTS, is_plan
from .names import name_of

SCHEMA = 1
NOTHING_KNOWN = "nothing is known of this node: it could not be reached, or failed before its plan was made"

VERDICTS = {
    "gpu": "everything is on the GPU",
    "gpu+ram": "a part stays in RAM",
    "cpu": "the CPU does it alone",
    "no": "it does not fit",
    "error": "there is no plan",
}
"""Each word, and what it means."""


def overview(plans, others=None, errors=None):
    """C({schema, models, nodes}) for C({node: plan, or None}), C({node: {name: plan or text}}) and C({node: why it has none}).

    The plans of C(plans) are those that are deployed. Raises InfraError for what is none of these.
    """
    plans, others, errors = (_by_node(given, name) for given, name in ((plans, "input"), (others, "others"), (errors, "errors")))
    nodes = [_node(name, plans.get(name), others.get(name), errors.get(name)) for name in dict.fromkeys((*plans, *others, *errors))]
    return {"schema": SCHEMA, "models": list(dict.fromkeys(row["name"] for node in nodes for row in node["models"])), "nodes": nodes}


def _by_node(given, where):
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise InfraError("not a dictionary", where, shown(given), "{node: its plan}")
    return given


def _node(name, deployed, others, error):
    others = _by_node(others, f"others.{name}")
    name_of_deployed = _name_among(deployed, others) if deployed else None
    made = {**({name_of_deployed: deployed} if deployed and name_of_deployed not in others else {}), **others}
    if deployed:
        made[name_of_deployed] = deployed
    rows = [_row(model, one, one is deployed) for model, one in made.items()]
    if not rows and not error:
        error = NOTHING_KNOWN
    known = next((one["node"] for one in made.values() if is_plan(one)), {"gpus": [], "memory_total_bytes": None})
    return {
        "name": printable(name),
        "gpus": [{key: gpu[key] for key in ("device", "name", "memory_total_bytes")} for gpu in known["gpus"]],
        "memory_total_bytes": known["memory_total_bytes"],
        "error": printable(str(error)) if error else None,
        "models": rows,
    }


def _name_among(deployed, others):
    """The name that the deployed model has among the others, or one of its own."""
    if not is_plan(deployed):
        return "deployed"
    source = deployed["model"]["source"]
    same = (name for name, made in others.items() if is_plan(made) and made["model"]["source"] == source)
    short = name_of(source or deployed["model"]["name"])
    return next(same, None) or (f"{short} (deployed)" if short in others else short)


def _row(name, made, deployed):
    row = {"name": printable(name), "deployed": deployed}
    if not is_plan(made):
        error = (
            made if isinstance(made, str) else str(InfraError("not a plan", got=shown(made), expected="what the filter prositronic.infra.llama_plan returns"))
        )
        return {**row, "verdict": "error", "error": printable(error)}
    context, throughput = made["context"], made["throughput"]
    return {
        **row,
        "verdict": _verdict(made),
        "error": None,
        "model": {key: made["model"][key] for key in ("name", "architecture", "quantization", "parameters", "size_bytes")},
        "backend": made["backend"],
        "image": made["image"],
        "gpu_layers": made["placement"]["gpu_layers"],
        "layers_total": made["placement"]["layers_total"],
        **{key: context[key] for key in ("ctx_size", "parallel", "cache_type_k", "cache_type_v")},
        **{f"{what}_tokens_per_second": throughput[what]["tokens_per_second_expected"] for what in ("decode", "prefill")},
        "memory": _memory(made["memory"]),
        "missing": _missing(made),
        "would_help": list(made["would_help"]),
        "warnings": list(made["warnings"]),
        "args": list(made["server"]["args"]),
    }


def _verdict(made):
    if not made["fits"]:
        return "no"
    if not made["node"]["gpus"] or not made["placement"]["gpu_layers"]:
        return "cpu"
    return "gpu" if made["placement"]["all_on_gpu"] else "gpu+ram"


def _memory(memory):
    """A row for each GPU and for the RAM: what is free, what of it may be used, and what the plan uses."""
    host = memory["host"]
    rows = [(row["name"], row, row["free_bytes"]) for row in memory["devices"]] + [("RAM", host, host["available_bytes"])]
    return [
        {
            "where": name,
            "free_bytes": free,
            "budget_bytes": max(free - row["reserve_bytes"], 0),
            "used_bytes": sum(row.get(key, 0) for key, _mark, _label in PARTS),
            **{key: row.get(key, 0) for key, _mark, _label in PARTS},
        }
        for name, row, free in rows
    ]


def _missing(made):
    """Of a plan that can't run: how much more than the budget of which memory it needs."""
    budgets = {row["where"]: row["budget_bytes"] for row in _memory(made["memory"])}
    return [{**row, "budget_bytes": budgets[row["where"]]} for row in made["missing"]["to_run"]]
