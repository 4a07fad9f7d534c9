# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several models planned for one node: each has its plan, or the reason why there is none."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..plan import plan


def plans(models, node, wishes, previous=None):
    """C({name: plan, or the error as text}) for C({name: model}), where a model that could not be read is C({error: why}).

    C(previous), the plan that the node runs, is kept for the model that it was made from. Raises InfraError for what is no dictionary of models.
    """
    if not isinstance(models, dict):
        raise InfraError("not a dictionary of models", got=shown(models), expected="{name: what the lookup prositronic.infra.gguf returns}")
    return {name: _plan(model, node, wishes, previous) for name, model in models.items()}


def _plan(model, node, wishes, previous):
    try:
        return plan(model, node, wishes, previous)
    except InfraError as error:
        return str(error)
