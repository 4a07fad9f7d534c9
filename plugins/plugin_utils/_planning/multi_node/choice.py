# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which nodes, and which of them is the head: the fewest that hold the model, of these those on which a request is done soonest."""

from __future__ import annotations

from itertools import combinations, islice

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from ..._units import human
from ..objective import MARGIN, gain
from ..smaller_quantization import largest_that_fits
from .chooser import TeamChooser
from .team import MOST_DEVICES, Team
from .wishes import WHERE

MOST_TEAMS = 24
"""Teams of one size that are tried, those with the most memory first. Nodes that are alike stand for each other, so there are rarely more."""


def choose(model, members, head, network, wishes):
    """(TeamChooser, Choice) of the best team. Raises InfraError where not even all nodes together hold the model."""
    named = _named(members, head)
    least = sum(group.size_bytes * (1 if group.blocks is None else len(group.blocks)) for group in model.tensors if group.blocks is not None)
    for count in range(2, len(members) + 1):
        best = None
        for team in islice(_teams(members, named, count), MOST_TEAMS):
            if sum(sum(member.limits) for member in team.members) < least:
                continue
            chooser = TeamChooser(model, team, network, wishes)
            choice = chooser.find()
            if choice.fits and chooser.uses_all(choice) and (best is None or _is_better((chooser, choice), best)):
                best = (chooser, choice)
        if best is not None:
            return best
    raise _too_large(model, members, named, network, wishes)


def _named(members, head):
    if head is None:
        return None
    names = [member.name for member in members]
    if head not in names:
        raise InfraError("the head is none of the nodes", f"{WHERE}.head", shown(head), " or ".join(names), nearest(head, names))
    return members[names.index(head)]


def _teams(members, named, count):
    """Teams of C(count) nodes, those with the most memory first, of those that are alike one. The workers are in the order of the nodes."""
    largest = sorted(members, key=lambda member: -sum(member.limits))
    seen = set()
    for chosen in combinations(largest, count):
        together = sorted(chosen, key=members.index)
        for head in _heads(together, named):
            team = Team(head, tuple(member for member in together if member is not head))
            kind = (head.alike, tuple(worker.alike for worker in team.workers))
            if kind not in seen and len(team.devices) <= MOST_DEVICES:
                seen.add(kind)
                yield team


def _heads(together, named):
    """Who may be the head: who is named, or those with a GPU, for a head without one holds nothing; all where none has any."""
    if named is not None:
        return [named] if named in together else []
    return [member for member in together if member.node.gpus] or together


def _is_better(one, than):
    """A request is done sooner, both with the same context, or in about the same time with more; the context first where that is preferred."""
    more = one[1].ctx_size - than[1].ctx_size
    if one[0].wishes.prefer == "context" and more:
        return more > 0
    same = min(one[1].ctx_size, than[1].ctx_size)
    gained = gain(*(chooser.estimate.seconds(chooser.probe.with_context(choice.placement.allocation, same)) for chooser, choice in (one, than)))
    return gained >= MARGIN or (gained > -MARGIN and (more, gained) > (0, 0))


def _too_large(model, members, named, network, wishes):
    """The error with what is missing: of all nodes, or of the largest that llama.cpp has room for."""
    team = next((team for count in range(len(members), 1, -1) for team in _teams(members, named, count)), None)
    if team is None:
        return InfraError("two of these nodes have more devices than llama.cpp has room for", f"{WHERE}.nodes", expected=f"at most {MOST_DEVICES} in all")
    chooser = TeamChooser(model, team, network, wishes)
    choice = chooser.find()
    lacking = chooser.budget.shortfalls(choice.placement.allocation)
    on_devices = sum(shortfall.missing_bytes for shortfall in lacking if shortfall.where != "RAM")
    ram = sum(shortfall.missing_bytes for shortfall in lacking if shortfall.where == "RAM")
    missing = [f"{human(on_devices)} more memory on their devices"] * bool(on_devices) + [f"{human(ram)} more RAM on {team.head.name}"] * bool(ram)
    smaller = largest_that_fits(model, lambda other: chooser.with_model(other).find().fits)
    return InfraError(
        f"{model.name or 'the model'} fits on no {len(team.members)} of these nodes together",
        f"{WHERE}.nodes",
        got=f"{', '.join(member.name for member in team.members)} with {human(sum(chooser.budget.device_bytes))} to use, for a context of {choice.ctx_size}",
        expected=" and ".join(missing) or "devices that each hold a layer",
        fix=f"{smaller.name}, about {human(smaller.size_bytes)}, is the largest quantization that would fit" if smaller else None,
    )
