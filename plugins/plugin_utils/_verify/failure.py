# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a planned server did not start."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._options import Option, check_options
from .causes import cause_of_failure
from .inputs import checked_facts, part

SPEC = {"facts": Option("dict")}


def failure(plan, log, options):
    """One sentence: the reason of the log, and what the plan and the facts add."""
    option = check_options(options, SPEC, "llama_server_failure")
    part(plan, "model")
    if not isinstance(log, dict) or "failure" not in log:
        raise InfraError("not the log of a server", "log", shown(log), "log, as prositronic.infra.llama_server_info returns it when it fails")
    facts = checked_facts(option["facts"], "llama_server_failure")
    if not log["failure"]:
        return f"the log can't be read: {log.get('why_not')}" if not log.get("read") else "the log has no reason"
    more = cause_of_failure(plan, log, facts)
    return f"{log['failure']}; {more}" if more else log["failure"]
