# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The log of a container in a pod. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.api import said
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import MOST_BYTES, Text

_LAST_LINES = 2000


def text(api, namespace, pod, container, previous=False):
    """The Text of the container's current start, or of the one before."""
    source = f"{'previous ' if previous else ''}container {container} of pod {pod}"
    query = {"container": container, **({"previous": "true"} if previous else {})}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    status, first = api.send("GET", path, {**query, "limitBytes": MOST_BYTES})
    if status != 200:
        return Text(source, problem=said(status, first))
    whole = len(first) < MOST_BYTES
    last = b""
    if not whole:
        status, last = api.send("GET", path, {**query, "tailLines": _LAST_LINES})
        last = last[-MOST_BYTES:] if status == 200 else b""
    return Text(source, first, last, whole=whole)
