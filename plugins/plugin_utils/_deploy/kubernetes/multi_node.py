# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workers of a model that no single node holds: the chart's C(multiNode)."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ..._options import check_options
from .options import MULTI_NODE_SPEC, WHERE

HERE = f"{WHERE}.multi_node"


def multi_node_values(plan, given):
    """(values or None, reasons, warnings)."""
    if not plan.get("multi_node"):
        if given is not None:
            raise InfraError("the plan is for one node", HERE, fix="Make one with the filter llama_multi_node_plan, or leave multi_node out")
        return None, [], []
    option = check_options(given or {}, MULTI_NODE_SPEC, HERE)
    raise InfraError("not written yet", HERE, str(option))
