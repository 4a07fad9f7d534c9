# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of a user over those of a plan, as Helm merges files of values: dictionaries by their keys, everything else is replaced."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

DECIDED = {"plan": "Make another plan", "server.args": "Ask the filter llama_plan for another plan, or say more in extra_args"}
"""What no value may change: the pod would not be what the plan says."""


def merged(values, over, where, path=""):
    """C(over) over C(values). Raises InfraError for what the plan decides and for what is no dictionary where one is."""
    found = dict(values)
    for key, value in over.items():
        at = f"{path}.{key}" if path else str(key)
        if at in DECIDED:
            raise InfraError("the plan decides this value", f"{where}.{at}", shown(value), fix=DECIDED[at])
        if isinstance(found.get(key), dict) and at != "affinity":
            if not isinstance(value, dict):
                raise InfraError("not a dictionary", f"{where}.{at}", shown(value), "values of the chart")
            value = merged(found[key], value, where, at)
        found[key] = value
    return found
