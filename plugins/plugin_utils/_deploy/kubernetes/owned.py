# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the role tells its own objects from those of others: labels, and the record of what was last ready."""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.release import INSTANCE, MANAGED_BY, MANAGER, NODE_CLASS, PART_OF, RECORD


def labels(server, release=None, node_class=None):
    """The labels of an object of the server C(server)."""
    told = {MANAGED_BY: MANAGER, PART_OF: server, INSTANCE: release, NODE_CLASS: node_class}
    return {key: value for key, value in told.items() if value}


def is_ours(found, server):
    """Whether an object, as module kubernetes_release_info returns it, was made for this server by the role."""
    return found["labels"].get(MANAGED_BY) == MANAGER and found["labels"].get(PART_OF) == server


def record(server, release, node_class, values):
    """The ConfigMap that keeps the values with which a release was last ready: the way back."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{release}-values", "labels": {**labels(server, release, node_class), RECORD: "values"}},
        "data": {"values.json": json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n"},
    }
