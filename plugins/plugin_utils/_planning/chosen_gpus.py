# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Only the GPUs that the user names, by uuid."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown


def facts_with_devices(facts, uuids):
    """The facts of a node with the GPUs of C(uuids) only, in the node's order; as they are for None.

    Raises InfraError for a uuid that no GPU of the node has. What else is wrong with facts is node.py's to say.
    """
    rows = facts.get("devices") if isinstance(facts, dict) else None
    if uuids is None or (rows is not None and not isinstance(rows, list)):
        return facts
    known = [row["uuid"] for row in rows or [] if isinstance(row, dict) and isinstance(row.get("uuid"), str)]
    for index, uuid in enumerate(uuids):
        if uuid not in known:
            raise InfraError(
                "no GPU with this uuid", f"llama_plan.devices[{index}]", shown(uuid), ", ".join(known) or "a node whose GPUs have a uuid", nearest(uuid, known)
            )
    return {**facts, "devices": [row for row in rows if not isinstance(row, dict) or row.get("uuid") in uuids]}
