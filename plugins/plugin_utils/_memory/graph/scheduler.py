# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which backend computes which node, and what is copied from one to another.

Backends are the devices in order and, last, the host. Source: ggml/src/ggml-backend.cpp (ggml_backend_sched_split_graph);
what devices can do: ggml/src/ggml-cuda/ggml-cuda.cu (supports_op, offload_op).
"""

from __future__ import annotations

from dataclasses import dataclass

from .ggml import VIEWS, Tensor, elements

OFFLOAD_MIN_BATCH = 32
"""Smallest batch for which weights on the host are sent to a device (ggml-cuda.cu)."""

COPIES = 4
"""Copies of the inputs for pipeline parallelism (ggml-backend.cpp: GGML_SCHED_MAX_COPIES)."""

NOT_BY_WEIGHTS = frozenset(("rope", "flash_attn"))
"""Operations that are not computed where their weights are, because those are small."""


@dataclass
class Schedule:
    """Every leaf, and every node in order, with copies among them; each has its backend. C(copies): (what is copied, its copy)."""

    leafs: list
    nodes: list
    copies: list


def schedule(graph, n_devices, op_offload=True, pipelined=False, remote=frozenset()):
    """The Schedule of a Graph. Changes the sources of nodes to the copies they read. C(remote): numbers of devices reached by RPC (remote.py)."""
    host = n_devices
    nodes = [node for node in graph.nodes if node.op not in VIEWS]
    _by_memory(graph, nodes, host, op_offload, remote)
    _expand(nodes, host, remote)
    _by_neighbours(graph, nodes, host, remote)
    return _split(graph, host, pipelined)


def _home(tensor):
    return tensor.home if tensor.root is None else tensor.root.home


def _supports(backend, node, host, remote):
    """A device can't compute on what another device of its kind holds; one reached by RPC says that it can."""
    if backend != host and backend not in remote:
        for source in node.sources:
            if source.home is not None and source.home != backend and source.home != host and source.home not in remote:
                return False
    return True


def _by_memory(graph, nodes, host, op_offload, remote):
    """Leafs, and the nodes that work on something that has its place already."""
    for leaf in graph.leafs:
        leaf.backend = leaf.home if leaf.home is not None else host if leaf.given else None
    for node in nodes:
        if node.backend is not None:
            continue
        if node.root is not None and node.root.home is not None:
            node.backend = node.root.home
            continue
        if node.op in NOT_BY_WEIGHTS:
            continue
        for source in node.sources:
            if source.weight:
                node.backend = source.home
                if op_offload and source.home == host and _batch(node) >= OFFLOAD_MIN_BATCH:
                    node.backend = next((device for device in range(host) if device not in remote and _supports(device, node, host, remote)), host)
                break


def _batch(node):
    if node.op == "get_rows":
        return 0
    if node.op == "mul_mat":
        return node.shape[1]
    if node.op == "mul_mat_id":
        return node.shape[2]
    return node.shape[1] * node.shape[2] * node.shape[3]


def _expand(nodes, host, remote):
    """Nodes without a place join their neighbours: devices first, down and then up; then the host."""
    for devices_only in (True, False):
        if not any(node.backend is None for node in nodes):
            return
        for order in (nodes, reversed(nodes)):
            current = None
            for node in order:
                backend = node.backend
                if backend is not None:
                    current = None if devices_only and backend == host else backend
                elif current is not None and _supports(current, node, host, remote):
                    node.backend = current


def _by_neighbours(graph, nodes, host, remote):
    """The rest: nodes where most of their sources are, views where what they look at is, leafs where they are used."""
    for node in nodes:
        if node.backend is None:
            best = -1
            for backend in range(host + 1):
                if _supports(backend, node, host, remote):
                    found = sum(1 for source in node.sources if _reads(backend, source))
                    if found > best:
                        best, node.backend = found, backend
    for node in graph.nodes:
        if node.backend is None and node.root is not None:
            node.backend = _place(node.root)
        for source in node.sources:
            if source.backend is None:
                source.backend = _place(source.root) if source.root is not None else node.backend
        if node.backend is None:
            node.backend = 0


def _place(root):
    return root.home if root.home is not None else root.backend


def _reads(backend, tensor):
    """Whether a backend can read a tensor where it is."""
    root = tensor.root or tensor
    if root.home is not None:
        return root.home == backend
    at = tensor.backend if tensor.backend is not None else root.backend
    return at == backend


def _split(graph, host, pipelined):
    """Runs of nodes on one backend; what a run reads from elsewhere is copied at its start."""
    nodes, copied, copies = [], [], []
    run, inputs, current = [], [], None
    for node in graph.nodes:
        if node.op in VIEWS:
            run.append(node)
            continue
        elsewhere = [source for source in node.sources if source.backend != node.backend and not _reads(node.backend, source)]
        if node.backend != current or (inputs and any(source.weight for source in elsewhere)):
            # every weight from elsewhere starts a run, so that the memory of the one before can be used again
            nodes.extend(inputs)
            if current is not None:
                nodes.extend(run)
                run = []
            inputs, current = [], node.backend
        if elsewhere:
            copies += _read_copies(node, elsewhere, inputs, copied, pipelined)
        run.append(node)
    nodes.extend(inputs)
    nodes.extend(run)
    leafs = _inputs_ahead(graph, copied) if pipelined else []
    leafs.extend(graph.leafs)
    return Schedule(leafs, nodes, copies)


def _read_copies(node, elsewhere, inputs, copied, pipelined):
    """Let C(node) read copies of those of its sources that lie C(elsewhere); new ones go to the C(inputs) of its run, and are returned."""
    backend, new = node.backend, []
    for source in elsewhere:
        if source.copies is None:
            source.copies = {}
        if backend not in source.copies:
            copy = source.copies[backend] = Tensor("none", source.type, source.shape, size_bytes=_bytes_of_copy(source))
            copy.backend = backend
            copy.packed = source.packed or copy.size_bytes <= source.size_bytes
            copy.scratch_bytes = source.scratch_bytes if source.weight else 0
            copy.output = copy.given = pipelined
            until_copied = Tensor("none", source.type, source.shape, (source,), root=source.root or source, size_bytes=0)
            until_copied.backend = source.backend
            inputs += (until_copied, copy)
            copied.append(copy)
            new.append((source, copy))
    if node.scratch_of_copies_bytes is not None and node.sources[1] in elsewhere:
        node.scratch_bytes = node.scratch_of_copies_bytes
    node.sources = tuple([source.copies[backend] if source in elsewhere else source for source in node.sources])
    return new


def _inputs_ahead(graph, copied):
    """COPIES of every input and of every copy, for as many micro-batches under way."""
    given = [leaf for leaf in graph.leafs if leaf.given]
    for leaf in given:
        leaf.output = True
    return [each for tensor in (*given, *copied) for each in (tensor, *(_twin(tensor) for _copy in range(COPIES - 1)))]


def _bytes_of_copy(source):
    """Bytes of a copy: a view keeps the distances in the last dimensions that it shares with what it looks at, and so takes nearly as much."""
    root = source.root
    if root is None or not root.size_bytes:
        return source.size_bytes
    each, whole = elements(source.shape), elements(root.shape)
    if source.packed or each >= whole:
        return root.size_bytes * each // whole
    size, distance = 0, root.size_bytes
    mine = [length for length in source.shape if length > 1]
    theirs = [length for length in root.shape if length > 1]
    if mine and mine[-1] != theirs[-1]:
        theirs.append(mine[-1])
    while mine and theirs and mine[-1] == theirs.pop():
        distance //= mine[-1]
        size += (mine[-1] - 1) * distance
        each //= mine.pop()
    return size + root.size_bytes * each // whole


def _twin(tensor):
    twin = Tensor("none", tensor.type, tensor.shape, size_bytes=tensor.size_bytes)
    twin.output = twin.given = True
    twin.backend = tensor.backend
    return twin
