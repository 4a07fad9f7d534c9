# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The comparison of a running server with its plan."""

from __future__ import annotations

from .._options import Option, check_options
from . import held, served, started
from .findings import Findings
from .inputs import checked_facts, checked_info, part

SPEC = {
    "model": Option("str"),
    "alias": Option("str"),
    "build": Option("int", minimum=1),
    "facts": Option("dict"),
}


def differences(plan, info, options):
    """What a server does that is not what its plan says, what was compared and what could not be, as plain values.

    Raises InfraError for input that is not a plan or not what a server says, and for unknown options.
    """
    option = check_options(options, SPEC, "llama_server_differences")
    part(plan, "context")
    part(plan, "model")
    checked_info(info)
    facts = checked_facts(option["facts"], "llama_server_differences")
    found = Findings()
    served.compare(found, plan, info, option)
    started.compare(found, plan, info, facts)
    held.compare(found, plan, info, facts)
    return found.plain()
