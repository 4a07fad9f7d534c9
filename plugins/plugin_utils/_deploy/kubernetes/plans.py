# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan for each class of nodes, and the classes that a server is for."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from ..._options import Option, check_options
from ..._planning.plan import plan
from .multi_node_plan import multi_node_row

WHERE = "llama_kubernetes_plans"
CHOICES = ("smallest", "fastest", "each")
SPEC = {
    "choose": Option("str", choices=CHOICES),
    "only": Option("strs"),
    "gpus": Option("int", minimum=1, maximum=512),
    "previous": Option("dict"),
    "multi_node": Option("dict"),
}
CLASS_KEYS = ("name", "nodes", "facts", "gpu", "node_affinity", "cuda_label")


def kubernetes_plans(model, classes, given):
    """C({"plans": [...], "chosen": [names], "reasons": [...]}) for a model and the classes of node_classes().

    A row has C(name), C(node_class), C(plan) (None with an C(error)) and C(chosen). C(given): C(choose), C(only) (names, None for all), C(gpus) (of each
    pod, None for as few as hold everything), C(previous) (name -> plan), C(multi_node) (see multi_node_row(), None for a server in one pod), and wishes of
    llama_plan().
    Raises InfraError where no plan fits on any class, and for unknown options.
    """
    option = check_options({name: given[name] for name in SPEC if name in given}, SPEC, WHERE)
    wishes = {name: value for name, value in given.items() if name not in SPEC}
    _check_classes(classes)
    wanted = [each for each in classes if option["only"] is None or each["name"] in option["only"]]
    names = [each["name"] for each in classes]
    for name in option["only"] or []:
        if name not in names:
            raise InfraError("no class of nodes has this name", f"{WHERE}.only", shown(name), fix=nearest(name, names))
    if option["multi_node"] is not None:
        row = multi_node_row(model, wanted, option["multi_node"], option["gpus"], wishes, option["previous"] or {})
        return {"plans": [row], "chosen": [row["name"]], "reasons": row["plan"]["multi_node"]["reasons"]}
    rows = [_row(model, each, wishes, option) for each in wanted]
    chosen = _chosen(rows, option["choose"] or "smallest")
    if not chosen:
        told = " ".join(f"{row['name']}: {row['error'] or _lacks(row['plan'])}." for row in rows) or "no node is ready for pods."
        raise InfraError(f"the model runs on no class of nodes. {told}", WHERE, fix="A smaller quantization or context, or other nodes")
    for row in rows:
        row["chosen"] = row["name"] in chosen
    return {"plans": rows, "chosen": chosen, "reasons": _reasons(rows, chosen, option)}


def _check_classes(classes):
    if not isinstance(classes, list):
        raise InfraError("not a list of classes", WHERE, shown(classes), "classes, as the filter prositronic.infra.kubernetes_node_classes returns them")
    for index, each in enumerate(classes):
        if not isinstance(each, dict) or any(key not in each for key in CLASS_KEYS):
            raise InfraError("not a class of nodes", f"{WHERE}[{index}]", shown(each), "one that the filter prositronic.infra.kubernetes_node_classes returns")


def _row(model, node_class, wishes, option):
    row = {"name": node_class["name"], "node_class": node_class, "plan": None, "error": None}
    try:
        row["plan"] = _planned(model, node_class, wishes, option)
    except InfraError as error:
        row["error"] = str(error)
    return row


def _planned(model, node_class, wishes, option):
    """The plan with as few GPUs as hold everything; where none do, the fastest."""
    gpu, previous = node_class["gpu"], (option["previous"] or {}).get(node_class["name"])
    most = gpu["most_per_pod"] if gpu else 0
    if option["gpus"] is not None and option["gpus"] > most:
        raise InfraError(f"a pod can have {most} GPUs here", f"{WHERE}.gpus", option["gpus"], f"at most {most}")
    best = None
    for count in [option["gpus"]] if option["gpus"] is not None else _counts(most):
        facts = {**node_class["facts"], "devices": node_class["facts"]["devices"][:count]}
        made = plan(model, facts, {"node_name": node_class["name"], **wishes}, previous)
        if best is None or _speed(made) > _speed(best):
            best = made
        if made["fits"] and made["placement"]["all_on_gpu"]:
            return made
    return best


def _counts(most):
    """1, 2, 4 and so on, and all of them; without GPUs just none."""
    return sorted({min(2**power, most) for power in range(most.bit_length() + 1)}) if most else [0]


def _speed(made):
    """Larger is better: whether it runs, then how fast."""
    return made["fits"], made["throughput"]["decode"]["tokens_per_second_expected"] or 0


def _chosen(rows, choose):
    able = [row for row in rows if row["plan"] and row["plan"]["fits"]]
    if choose == "each" or not able:
        return [row["name"] for row in able]
    whole = [row for row in able if row["plan"]["placement"]["all_on_gpu"]]
    if choose == "smallest" and whole:
        return [min(whole, key=lambda row: (_vram(row), -_speed(row["plan"])[1], row["name"]))["name"]]
    return [min(able, key=lambda row: (-_speed(row["plan"])[1], _vram(row), row["name"]))["name"]]


def _vram(row):
    return sum(gpu["memory_total_bytes"] for gpu in row["plan"]["node"]["gpus"])


def _lacks(made):
    missing = made["missing"]["to_run"]
    return " and ".join(f"{part['where']} lacks {part['missing_bytes'] / 2**30:.1f} GiB" for part in missing) or "the plan does not fit"


def _reasons(rows, chosen, option):
    choose = option["choose"] or "smallest"
    if choose == "each":
        return [f"A server for each class of nodes on which the model fits: {', '.join(chosen)}."]
    by_name = {row["name"]: row for row in rows}
    (row,) = (by_name[name] for name in chosen)
    others = len([other for other in rows if other["plan"] and other["plan"]["fits"]]) - 1
    if choose == "smallest" and row["plan"]["placement"]["all_on_gpu"]:
        return [f"{row['name']}: the smallest GPUs that hold everything; the model fits on {others} other classes of nodes too."]
    why = "nowhere does everything fit on GPUs, and here" if choose == "smallest" else "here"
    return [f"{row['name']}: {why} the model is expected to be fastest; it fits on {others} other classes of nodes too."]
