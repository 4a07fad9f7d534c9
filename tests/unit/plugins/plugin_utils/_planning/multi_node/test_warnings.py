# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.warnings import ALWAYS, warnings

from .teams import GIB, node, team

TWO = {"a": node("nvidia-l4"), "b": node("nvidia-l4")}


def said(nodes=None, seconds=30, cache=False, head=0, **wishes):
    return " ".join(warnings(team(nodes or TWO, head, **wishes), 33 * GIB, seconds, cache))


@pytest.mark.parametrize("what", ["neither authentication nor encryption", "worker that is lost takes the head with it", "the same build of llama.cpp"])
def test_what_is_always_so(what):
    assert sum(what in sentence for sentence in ALWAYS) == 1
    assert what in said()


def test_weights_go_through_the_network():
    assert "33.0 GiB of weights go through the network while the model is loaded, about 30 seconds, at every start: see worker_cache." in said()
    assert "about 50 minutes; the workers keep them on their disks for the next time." in said(seconds=3000, cache=True)


def test_images_of_llama_cpp_do_not_do():
    assert "llama.cpp's own images have no ggml-rpc-server" in said()
    assert "own images" not in said(image="registry.example.com/llama:rpc")


def test_nodes_without_a_gpu():
    nodes = {"a": node("nvidia-l4"), "b": node(ram_gib=64)}
    assert "b has no GPU to use: its CPU works on its layers" in said(nodes)
    assert "b, the head, has no GPU to use and holds no layer" in said(nodes, head=1)
    assert "no GPU to use" not in said()
