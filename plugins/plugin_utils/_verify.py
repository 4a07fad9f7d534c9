# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a running server is the planned one. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ._memory.settings import pad
from ._options import Option, check_options

SPEC = {"model": Option("str"), "alias": Option("str")}


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


def differences(plan, info, options):
    """What a server says that is not what its plan says: a list of {what, expected, got}, empty when all is as planned."""
    option = check_options(options, SPEC, "llama_server_differences")
    context, model = _part(plan, "context"), _part(plan, "model")
    if not isinstance(info, dict) or "total_slots" not in info or "n_ctx" not in info:
        raise InfraError("not what a server says about itself", "info", shown(info), "server, as prositronic.infra.llama_server_info returns it")

    expected = [
        ("slots", context["parallel"], info["total_slots"]),
        ("context per slot", context_per_slot(context), info["n_ctx"]),
    ]
    path = option["model"] or _planned_path(model)
    if path is not None:
        expected.append(("model path", path, info.get("model_path")))
    if option["alias"] is not None:
        expected.append(("model alias", option["alias"], info.get("model_alias")))
    served = (info.get("models") or [{}])[0]
    if served.get("parameters") is not None and model.get("parameters") is not None:
        expected.append(("parameters", model["parameters"], served["parameters"]))
    found = [{"what": what, "expected": wanted, "got": got} for what, wanted, got in expected if wanted != got]
    return found + _too_old(plan.get("llama_cpp"), info.get("build_info"))


def _too_old(planned, build_info):
    """A build with holes that are known (_backend/security.py); a server that doesn't know its build, which calls it 0, passes."""
    least = planned.get("minimum_build") if isinstance(planned, dict) else None
    build = re.match(r"b([1-9]\d{0,8})(?:-|$)", build_info, re.ASCII) if isinstance(build_info, str) else None
    if not isinstance(least, int) or build is None or int(build[1]) >= least:
        return []
    return [{"what": "build", "expected": f"b{least} or newer", "got": build_info}]


def _part(plan, name):
    part = plan.get(name) if isinstance(plan, dict) else None
    if not isinstance(part, dict):
        raise InfraError(f"not a plan: it has no '{name}'", "plan", shown(plan), "what the filter prositronic.infra.llama_plan returns")
    return part


def _planned_path(model):
    """None for a model that was planned from an address: where it lies on the node is then not in the plan."""
    files = model.get("files") or [{}]
    return files[0].get("path")
