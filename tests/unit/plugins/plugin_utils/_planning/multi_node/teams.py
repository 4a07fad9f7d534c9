# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes and teams for the tests of this folder."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.chooser import TeamChooser
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.member import members_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.plan import multi_node_plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.team import Team
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wishes import Network, team_wishes
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
TEN_GBIT = Network(1.25e9, 2e-4)
DENSE, LARGE = "Llama-3.1-8B-Q4_K_M.gguf", "GLM-4.5-Air-Q4_K_M.gguf"
DEEPSEEK, GEMMA = "DeepSeek-V3.1-Q4_K_M.gguf", "Gemma-3-27B-Q4_K_M.gguf"


def node(*gpus, ram_gib=128, **more):
    """A description; C(gpus) are ids of models."""
    return {"gpus": [{"model": gpu} for gpu in gpus], "ram_bytes": ram_gib * GIB, **more}


def members(nodes, message_bytes=0, **wishes):
    return members_from_plain(nodes, team_wishes(wishes), message_bytes)


def team(nodes, head=0, **wishes):
    """The Team of all C(nodes); C(head): its number."""
    found = members(nodes, **wishes)
    return Team(found[head], tuple(member for number, member in enumerate(found) if number != head))


def chooser(name, nodes, head=0, network=TEN_GBIT, **wishes):
    return TeamChooser(truth.model(name), team(nodes, head, **wishes), network, team_wishes(wishes))


def planned(name, nodes, link=1.25e9, trip=2e-4, **options):
    beside = {key: options.pop(key) for key in ("head", "worker_cache", "previous") if key in options}
    return multi_node_plan(truth.plain(name), nodes, options, link, trip, **beside)
