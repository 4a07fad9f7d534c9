# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The releases of a server: one, or one for each class of nodes, with their names and values."""

from __future__ import annotations

import hashlib
import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .owned import record
from .values import helm_values

WHERE = "llama_kubernetes_releases"
LONGEST = 45
"""What the chart makes of a name: its objects have a longer one."""
_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def releases(planned, server, options):
    """[{name, server, node_class, plan, chart_values, record, ready_seconds}] for what kubernetes_plans() returned.

    C(options): those of the filter helm_values but for C(node_class), and C(each): whether releases carry the name of their class.
    Raises InfraError for names that a cluster does not take, and for what helm_values() refuses.
    """
    if not isinstance(planned, dict) or not isinstance(planned.get("plans"), list):
        raise InfraError("not plans for classes of nodes", WHERE, shown(planned), "what the filter prositronic.infra.llama_kubernetes_plans returns")
    check_name(server)
    options = dict(options)
    each = options.pop("each", False)
    return [_release(row, server, release_name(server, row["name"]) if each else server, options) for row in planned["plans"] if row["chosen"]]


def check_name(server):
    if not isinstance(server, str) or len(server) > LONGEST or not _NAME.fullmatch(server):
        expected = f"up to {LONGEST} small letters, digits and '-', a letter first"
        raise InfraError("not the name of a server in a cluster", f"{WHERE}.name", shown(server), expected)


def release_name(server, node_class):
    """C(server-class), shortened with a digest where it is too long."""
    name = f"{server}-{node_class}"
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST - 7].rstrip('-')}-{digest}"


def _release(row, server, name, options):
    own = {"fullnameOverride": name, **(options.get("values") or {})}
    values = helm_values(row["plan"], {**options, "values": own, "node_class": row["node_class"]})
    return {
        "name": name,
        "server": server,
        "node_class": row["name"],
        "plan": row["plan"],
        "chart_values": values,
        "record": record(server, name, row["name"], values),
        "ready_seconds": ready_seconds(values, row["plan"], options.get("disk_bytes_per_second")),
    }


NETWORK_BYTES_PER_SECOND = 20_000_000
PULL_SECONDS = 600
"""Images of CUDA have several GB."""


def ready_seconds(values, plan, disk_bytes_per_second=None):
    """How long a release may take: its image, the download of the model, and its start as its probe allows it."""
    startup = values["probes"]["startup"]
    start = startup["periodSeconds"] * startup["failureThreshold"]
    download = 0
    if values["model"]["source"] == "download":
        rate = min(NETWORK_BYTES_PER_SECOND, disk_bytes_per_second or NETWORK_BYTES_PER_SECOND)
        download = (plan["model"].get("size_bytes") or 0) // rate
    return start + download + PULL_SECONDS
