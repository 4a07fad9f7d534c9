# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan and what a server says about itself, as far as the comparison needs them to be whole."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

PLAN = "what the filter prositronic.infra.llama_plan returns"
INFO = "server, as prositronic.infra.llama_server_info returns it"


def part(plan, name):
    """The dictionary C(name) of a plan."""
    found = plan.get(name) if isinstance(plan, dict) else None
    if not isinstance(found, dict):
        raise InfraError(f"not a plan: it has no '{name}'", "plan", shown(plan), PLAN)
    return found


def checked_info(info):
    """C(info), which is what a server says about itself."""
    if not isinstance(info, dict) or "total_slots" not in info or "n_ctx" not in info:
        raise InfraError("not what a server says about itself", "info", shown(info), INFO)
    return info


def checked_facts(facts, where):
    """The facts of a node, empty where none were given."""
    if facts and "devices" not in facts:
        raise InfraError("not the facts of a node", f"{where}.facts", shown(facts), "ansible_facts['gpu']")
    return facts or {}


def planned_memory(plan):
    """(the rows of the plan's devices, that of the host); empty for a plan without figures."""
    memory = plan.get("memory")
    if not isinstance(memory, dict):
        return [], {}
    return rows(memory, "devices"), section(memory, "host")


def section(value, name):
    """The dictionary C(name) of what a module returned, empty where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def rows(value, name):
    """The dictionaries of the list C(name), those that have a name or are of no need of one."""
    found = value.get(name) if isinstance(value, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def number(value, name):
    """A figure, None where it is missing or no whole number."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
