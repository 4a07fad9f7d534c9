# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which fused operations llama.cpp uses: those which its scheduler computes on the devices of their blocks.

It asks for one after another, each time of a small graph in which those refused before are written out.
Source: src/llama-context.cpp (resolve_fused_ops and the probes above it).
"""

from __future__ import annotations

from .scheduler import schedule

ORDER = (("hc_pre", 1), ("hc_comb", 1), ("hc_post", 1))
"""(operation, tokens of each sequence in the graph). The others, gated_delta_net and lightning_indexer, are used unasked."""


def refused(b):
    """The (operation, tokens) that b, a Build, must do without."""
    without, elsewhere = set(), {}
    for op, tokens in ORDER:
        if tokens not in elsewhere:
            elsewhere[tokens] = _elsewhere(b, tokens, without)
        if op in elsewhere[tokens]:
            without.add((op, tokens))
            elsewhere.clear()
    return without


def _elsewhere(b, tokens, without):
    """The fused operations of which some are not on the devices of their blocks."""
    probing = b.probing(tokens, without)
    schedule(probing.graph, b.host, b.settings.op_offload)
    return {op for op, node, block in probing.fused_nodes if node.backend != b.backend_of(block)}
