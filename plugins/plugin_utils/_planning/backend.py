# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The node as the chosen build of llama.cpp sees it, and that build."""

from __future__ import annotations

from dataclasses import replace

from .._backend.choice import choose
from .node import node_from_plain


def node_and_backend(facts, wishes):
    """(Node, Backend): a Node with the GPUs that the Backend drives, by the names it gives them.

    Raises InfraError for malformed facts, and for a backend that was asked for and can't drive the GPUs.
    """
    if wishes.backend == "cpu":
        node = replace(node_from_plain(facts, wishes.node_name), gpus=(), ignored_gpus=(), unusable_gpus=())
        return node, choose(node, "cpu", wishes.image)
    node = node_from_plain(facts, wishes.node_name, wishes.backend)
    backend = choose(node, wishes.backend, wishes.image)
    if wishes.backend is None and backend.name == "vulkan":
        node = node_from_plain(facts, wishes.node_name, "vulkan")
        backend = backend if node.gpus else choose(node, None, wishes.image)
    return node, backend
