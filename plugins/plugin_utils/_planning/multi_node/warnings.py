# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What should be known before several nodes serve one model."""

from __future__ import annotations

from ..._units import human

ALWAYS = (
    "ggml-rpc-server has neither authentication nor encryption, and llama.cpp calls it a proof of concept: whoever reaches its port controls the process. "
    "Only on a private network, with the port open to the head alone.",
    "A worker that is lost takes the head with it: llama-server aborts, and has to be started again with all workers there.",
    "Head and workers need the same build of llama.cpp, built with RPC: the protocol's version is compared, and little else.",
    "A server serves one head at a time; a second one waits.",
    "What a worker's backend can't compute is not left to a CPU: the worker ends. On one node llama.cpp would notice beforehand.",
)


def warnings(team, wire_load_bytes, load_seconds, cache):
    """A list of sentences."""
    found = list(ALWAYS)
    again = "; the workers keep them on their disks for the next time" if cache else ", at every start: see worker_cache"
    found.append(f"{human(wire_load_bytes)} of weights go through the network while the model is loaded, about {_minutes(load_seconds)}{again}.")
    if team.backend.no_image:
        found.append("llama.cpp's own images have no ggml-rpc-server: head and workers need an image of your own, or a build on each node.")
    for member in team.workers:
        if not member.node.gpus:
            found.append(f"{member.name} has no GPU to use: its CPU works on its layers, and every token waits for it.")
    if not team.head.node.gpus:
        found.append(f"{team.head.name}, the head, has no GPU to use and holds no layer: its RAM does not help.")
    return found


def _minutes(seconds):
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
