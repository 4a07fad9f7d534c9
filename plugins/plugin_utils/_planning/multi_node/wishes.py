# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user asks of a plan for several nodes: wishes of llama_plan, fewer of them, and what the network is like."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..._options import Option, check_option
from ..wishes import PLACEMENT, wishes_from_plain
from ..wishes import SPEC as SPEC_OF_ONE

WHERE = "llama_multi_node_plan"
FOR_ONE = (*PLACEMENT, "gpu_layers", "allow_cpu", "emit", "node_name", "image_repository", "image_build")
"""Every layer and its cache is on a device of one of the nodes, so nothing of the placement is left to fix, nor to llama-server; llama.cpp's images,
wherever they lie, don't have what it takes."""

SPEC = {name: option for name, option in SPEC_OF_ONE.items() if name not in FOR_ONE}
RATE = Option("number", minimum=1)
SECONDS = Option("number", minimum=0)


@dataclass(frozen=True)
class Network:
    """Of the head's interface: bytes a second in one direction, and seconds until a small message is answered."""

    bytes_per_second: float
    round_trip_seconds: float


def network_from_plain(link_bytes_per_second, round_trip_seconds):
    """The Network; there is no figure that would be right for all."""
    values = {}
    for name, value, option, fix in (
        ("link_bytes_per_second", link_bytes_per_second, RATE, "Measure it with iperf3: 10 Gbit/s are 1250000000 at most"),
        ("round_trip_seconds", round_trip_seconds, SECONDS, "Measure it with ping: 0.2 ms are 0.0002"),
    ):
        values[name] = check_option(_number(value), option, f"{WHERE}.{name}")
        if values[name] is None:
            raise InfraError(f"'{name}' is missing", where=WHERE, expected="a number", fix=fix)
    return Network(float(values["link_bytes_per_second"]), float(values["round_trip_seconds"]))


def _number(value):
    """Ansible before 2.19 makes text of every number that comes from a template."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def team_wishes(given):
    """Wishes for everything on devices; InfraError for those that are for one node."""
    for name in FOR_ONE:
        if given.get(name) is not None:
            raise InfraError(f"'{name}' is for one node", where=WHERE, fix="Leave it out, or use llama_plan")
    wishes = wishes_from_plain(given)
    if dict(wishes.fixed).get("kv_offload") is False:
        raise InfraError("the cache is where its layers are", f"{WHERE}.kv_offload", "False", "true")
    for name in ("reserve_bytes", "budget_bytes"):
        if len(getattr(wishes, name) or ()) > 1:
            raise InfraError("more than one number", f"{WHERE}.{name}", shown(given[name]), "one number for all GPUs of all nodes")
    return replace(wishes, allow_cpu=False)
