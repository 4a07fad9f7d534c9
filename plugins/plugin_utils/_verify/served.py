# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says over HTTP beside its plan."""

from __future__ import annotations

import re

from .._memory.settings import pad
from .inputs import rows, section


def context_per_slot(context):
    """The n_ctx that /props reports for a planned context.

    Measured with llama.cpp build 11549: it is one slot's context. With a unified cache that is the whole
    --ctx-size, otherwise --ctx-size divided by --parallel. Both are rounded up, and capped by the model.
    """
    per_slot = pad(context["ctx_size"])
    if not context["kv_unified"]:
        per_slot = pad(per_slot // context["parallel"])
    trained = context.get("n_ctx_train")
    return min(per_slot, trained) if trained else per_slot


def compare(found, plan, info, option):
    """Add to the Findings C(found) what /props and /v1/models tell; of a server that can't be asked, what its log has of that."""
    context, model, why = plan["context"], plan["model"], info.get("not_asked")
    for what, expected, got in (("slots", context["parallel"], info["total_slots"]), ("context per slot", context_per_slot(context), info["n_ctx"])):
        if why and got is None:
            found.leave_out(what, why)
        else:
            found.same(what, expected, got)
    if why:
        for what in ("model path", *(["model alias"] if option["alias"] is not None else []), "parameters"):
            found.leave_out(what, why)
    else:
        _served(found, model, info, option)
    _build(found, plan, info, option["build"])


def _served(found, model, info, option):
    path = option["model"] or _planned_path(model)
    if path is None:
        found.leave_out("model path", "the plan was made from an address; say where the model lies on the node with model=")
    else:
        found.same("model path", path, info.get("model_path"))
    if option["alias"] is not None:
        found.same("model alias", option["alias"], info.get("model_alias"))
    served = (rows(info, "models") or [{}])[0]
    if served.get("parameters") is None or model.get("parameters") is None:
        found.leave_out("parameters", "the server or the plan does not tell them")
    else:
        found.same("parameters", model["parameters"], served["parameters"])


def _build(found, plan, info, wanted):
    """The build asked for; else one without the holes that are known (_backend/security.py)."""
    name = build_of(info)
    if name is None:
        found.leave_out("build", "the server does not know its build")
        return
    least = section(plan, "llama_cpp").get("minimum_build")
    if wanted is not None:
        found.checked.append("build")
        if build_number(name) != wanted:
            found.differ("build", f"b{wanted}", name, f"build: planned b{wanted}, found {name}")
    elif isinstance(least, int):
        found.checked.append("build")
        if build_number(name) < least:
            found.differ("build", f"b{least} or newer", name, f"build: planned b{least} or newer, found {name}")
    else:
        found.leave_out("build", "the plan names none")


def build_of(info):
    """The build as the server names it over HTTP, else in its log; None where it doesn't know it."""
    return next((text for text in (info.get("build_info"), section(info, "log").get("build")) if build_number(text) is not None), None)


def build_number(build_info):
    """None for a server that doesn't know its build, which calls it 0."""
    build = re.match(r"b([1-9]\d{0,8})(?:-|$)", build_info, re.ASCII) if isinstance(build_info, str) else None
    return None if build is None else int(build[1])


def _planned_path(model):
    """None for a model that was planned from an address: where it lies on the node is then not in the plan."""
    return (rows(model, "files") or [{}])[0].get("path")
