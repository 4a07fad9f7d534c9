# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan for several nodes: that of llama_plan for a head that has the workers' devices too, and what is said of them under C(multi_node)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from ..._model import model_from_plain
from ..._options import Option, check_option
from ..._units import counted, human
from ..inputs import digest, still_holds
from ..plan import SCHEMA, made_plan
from ..plan_parts import environment
from . import instead
from .choice import choose
from .member import members_from_plain
from .warnings import warnings
from .wire import boundaries
from .wishes import WHERE, network_from_plain, team_wishes
from .workers import workers

NAME, FLAG = Option("line"), Option("bool")


def multi_node_plan(model_plain, nodes_plain, wishes_plain, link_bytes_per_second, round_trip_seconds, head=None, worker_cache=None, previous=None):
    """The plan for a model on some of C({name: facts}), plain dictionaries all of them.

    Raises InfraError where all nodes together don't hold the model, with what is missing.
    """
    model = model_from_plain(model_plain)
    network = network_from_plain(link_bytes_per_second, round_trip_seconds)
    wishes = team_wishes(wishes_plain)
    head = check_option(head, NAME, f"{WHERE}.head")
    cache = bool(check_option(worker_cache, FLAG, f"{WHERE}.worker_cache"))
    if previous is not None and not isinstance(previous, dict):
        raise InfraError("not a plan", f"{WHERE}.previous", shown(previous), "what this filter returned")
    largest = max((group.size_bytes for group in model.tensors), default=0)
    members = members_from_plain(nodes_plain, wishes, largest)
    inputs = _digest(model_plain, members, wishes, [vars(network), head, cache])
    if still_holds(previous, inputs):
        return previous
    chooser, choice = choose(model, members, head, network, wishes)
    team, allocation, estimate = chooser.team, choice.placement.allocation, chooser.estimate
    made = made_plan(model_plain, chooser, choice, team.backend, ("--rpc",))
    for row, place in zip((*made["node"]["gpus"], *made["memory"]["devices"]), team.places * 2, strict=True):
        row["node"] = place.member.name
    made["server"]["env"] = environment(team.head.node, team.head.backend)
    token, batch = estimate.wire_of_token(allocation), estimate.wire_of_batch(allocation, made["throughput"]["prefill"]["batch_tokens"])
    messages = {worker.name: max(largest, dict(token.messages).get(worker.name, 0), dict(batch.messages).get(worker.name, 0)) for worker in team.workers}
    theirs = workers(team, allocation, choice.placement.layers_per_gpu, messages, cache)
    load_bytes = sum(worker["weights_bytes"] for worker in theirs)
    wire = {
        "bytes_per_token": token.size_bytes,
        "bytes_per_ubatch": batch.size_bytes,
        "boundaries": boundaries(team, allocation),
        "round_trips_per_token": token.round_trips,
        "seconds_per_token": _shown(token.seconds(network)),
        "seconds_per_ubatch": _shown(batch.seconds(network)),
        "load_bytes": load_bytes,
        "load_seconds": _shown(load_bytes / network.bytes_per_second),
    }
    one = instead.alone(model, members, wishes)
    fewer_bits = instead.smaller(model, members, wishes)
    compared = one and _compared(chooser, choice, one)
    said = warnings(team, load_bytes, wire["load_seconds"], cache)
    why = _reasons(team, choice, wire, compared, len(members))
    made["reasons"] += why
    made["warnings"] += said
    return {
        "schema": SCHEMA,
        "inputs": inputs,
        **made,
        "multi_node": {
            "head": team.head.name,
            "workers": theirs,
            "wire": wire,
            "worth_it": compared is None or compared.worth_it,
            "alternatives": [found.as_plain() for found in (one, fewer_bits) if found is not None],
            "warnings": said,
            "reasons": why,
        },
    }


def _digest(model_plain, members, wishes, more):
    each = [digest(SCHEMA, model_plain, member.node, wishes) for member in members]
    return digest(SCHEMA, [each, *more], members[0].node, wishes)


@dataclass(frozen=True)
class Compared:
    """Tokens generated in a second over the network and by one node alone, for the same context."""

    what: str
    ctx_size: int
    network: float
    alone: float

    @property
    def worth_it(self):
        return self.network > self.alone

    def __str__(self):
        figures = f"about {self.network:g} tokens/s over the network, {self.alone:g} with {self.what}, both for a context of {self.ctx_size}"
        return f"{'Worth it' if self.worth_it else 'Not worth it'}: {figures}."


def _compared(chooser, choice, one):
    ctx_size = min(choice.ctx_size, one.choice.ctx_size)
    return Compared(one.as_plain()["what"], ctx_size, instead.tokens_per_second(chooser, choice, ctx_size), one.tokens_per_second(ctx_size))


def _reasons(team, choice, wire, compared, count):
    counts = choice.placement.layers_per_gpu
    shares = ", ".join(
        f"{sum(counts[number] for number in team.numbers_of(member))} on {member.name}{' (the head)' if member is team.head else ''}"
        for member in (*team.workers, team.head)
    )
    nodes = f"{len(team.members)} of {count} nodes, the fewest that hold the model" if len(team.members) < count else f"{count} nodes"
    answers = counted(wire["round_trips_per_token"], "answer")
    return [
        f"{nodes}: {shares}. llama.cpp has the devices of workers first.",
        f"A token sends {wire['bytes_per_token'] / 1024:.0f} KiB and waits for {answers}, {wire['seconds_per_token'] * 1000:.3g} ms; "
        f"a micro-batch sends {human(wire['bytes_per_ubatch'])}, {wire['seconds_per_ubatch'] * 1000:.3g} ms.",
        "No node holds the model alone, with its RAM neither." if compared is None else str(compared),
    ]


def _shown(seconds):
    return float(f"{seconds:.3g}")
