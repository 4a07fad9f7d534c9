# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A measurement of this host beside what a plan expects. It is shown and changes nothing: what another setting would reach is not known from it."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

SCHEMA = 1


def with_measured(plan, measured):
    """The plain plan with C(measured), of the filter llama_server_measured, in its C(throughput); unchanged without one."""
    if measured is None:
        return plan
    return {**plan, "throughput": {**plan["throughput"], "measured": _beside(plan, measured)}}


def _beside(plan, measured):
    of, figures = _checked(measured)
    why = _other(plan, of)
    return {
        "applies": why is None,
        "why_not": why,
        "same_settings": why is None and of.get("args") == plan["server"]["args"],
        "build": of.get("build"),
        "decode": figures.get("decode") if why is None else None,
        "prefill": figures.get("prefill") if why is None else None,
    }


def _other(plan, of):
    """Why the measurement says nothing about this plan."""
    mine, theirs = ([part.get(key) for key in ("name", "quantization", "parameters")] for part in (plan["model"], of))
    if mine != theirs:
        return f"it is of {of.get('name')} {of.get('quantization')}"
    if of.get("backend") != plan["backend"]:
        return f"it is of the backend {of.get('backend')}"
    return None


def _checked(measured):
    """(what the figures are of, the figures)."""
    if not isinstance(measured, dict) or measured.get("schema") != SCHEMA:
        raise InfraError("not a measurement", "llama_plan.measured", shown(measured), "what the filter prositronic.infra.llama_server_measured returns")
    of, figures = measured.get("of"), measured.get("measured")
    if not isinstance(of, dict) or not isinstance(figures, dict):
        raise InfraError("not a whole measurement", "llama_plan.measured", shown(measured), "its keys of and measured")
    for what in ("decode", "prefill"):
        told = figures.get(what)
        if told is not None and not (isinstance(told, dict) and isinstance(told.get("tokens_per_second"), (int, float))):
            raise InfraError("not a measured speed", f"llama_plan.measured.measured.{what}", shown(told), "tokens_per_second, a number")
    return of, figures
