# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Of several quantizations of a model the best for a node.

The larger one is the more exact one, so the best is the largest of the first of these groups that has any:

1. everything on the GPUs (without a GPU: in RAM), with the context asked for, or unasked with at least PARTIAL tokens;
2. everything there, with less context, where none was asked for;
3. with a part in RAM, which is slower.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._options import Option, check_option
from .._units import human
from .objective import PARTIAL
from .plan import plan

DOES_NOT_FIT = 4
GROUPS = {
    1: "everything is on the GPU",
    2: "everything is on the GPU, with little context",
    3: "it runs with a part in RAM",
    DOES_NOT_FIT: "it does not fit",
}
WITHOUT_GPU = {**GROUPS, 1: "everything is in RAM", 2: "everything is in RAM, with little context"}


def best_quantization(models, node, wishes):
    """C({fits, index, name, quantization, plan, reason, others}) for plain models; the index counts from 0 in the list as given.

    Where none fits, C(fits) is false, the index None and the plan that of the smallest. Raises InfraError for an empty list and as plan() does.
    """
    models = check_option(models, Option("dicts"), "best_quantization")
    if not models:
        raise InfraError("no model to choose from", "best_quantization", shown(models), "a list of models, as the lookup prositronic.infra.gguf returns them")
    plans = [plan(model, node, wishes) for model in models]
    groups = [_group(made) for made in plans]
    sizes = [made["model"]["size_bytes"] or 0 for made in plans]
    fits = min(groups) != DOES_NOT_FIT
    # without one that fits the smallest is the nearest
    best = min(range(len(plans)), key=lambda index: (groups[index], -sizes[index] if fits else sizes[index]))
    in_words = GROUPS if plans[best]["node"]["gpus"] else WITHOUT_GPU
    return {
        "fits": fits,
        "index": best if fits else None,
        "name": _name(plans[best]) if fits else None,
        "quantization": plans[best]["model"]["quantization"] if fits else None,
        "reason": f"{_name(plans[best])}: {'the largest with which ' if fits else ''}{in_words[groups[best]]}{_lacking(plans[best], groups[best])}.",
        "plan": plans[best],
        "others": [
            {
                "index": index,
                "name": _name(made),
                "size_bytes": made["model"]["size_bytes"],
                "fits": made["fits"],
                "all_on_gpu": made["placement"]["all_on_gpu"],
                "ctx_size": made["context"]["ctx_size"],
                "why_not": _why_not(made, groups[index], groups[best], in_words),
            }
            for index, made in enumerate(plans)
            if index != best
        ],
    }


def _group(made):
    if not made["fits"]:
        return DOES_NOT_FIT
    if made["node"]["gpus"] and not made["placement"]["all_on_gpu"]:
        return 3
    asked = made["context"]["asked"]
    return 1 if asked or made["context"]["ctx_size"] >= min(PARTIAL, made["context"]["n_ctx_train"]) else 2


def _name(made):
    return f"{made['model']['name']} {made['model']['quantization']}"


def _why_not(made, group, best, in_words):
    if group == best == DOES_NOT_FIT:
        return f"it does not fit either{_lacking(made, group)}"
    if group == best:
        return f"{in_words[group]} too, but it is not larger"
    return f"{in_words[group]}{_lacking(made, group)}"


def _lacking(made, group):
    """', which lacks ...' with the figures."""
    rows = made["missing"]["to_run" if group == DOES_NOT_FIT else "for_all_on_gpu"]
    if group == 2:
        return f": {made['context']['ctx_size']} tokens"
    if not rows or group == 1:
        return ""
    missing = ", ".join(f"{row['where']} lacks {human(row['missing_bytes'])}" for row in rows)
    return f": {missing}" if group == DOES_NOT_FIT else f": for all of it {missing}"
