# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which backend computes which node, and what is copied from one to another.

Backends are the devices in order and, last, the host. Source: ggml/src/ggml-backend.cpp (ggml_backend_sched_split_graph);
what devices can do: ggml/src/ggml-cuda/ggml-cuda.cu (supports_op, offload_op).
"""

from __future__ import annotations

from dataclasses import dataclass

from .ggml import VIEWS, Tensor

OFFLOAD_MIN_BATCH = 32
"""Smallest batch for which weights on the host are sent to a device (ggml-cuda.cu)."""

COPIES = 4
"""Copies of the inputs for pipeline parallelism (ggml-backend.cpp: GGML_SCHED_MAX_COPIES)."""

NOT_BY_WEIGHTS = frozenset(("rope", "flash_attn"))
"""Operations that are not computed where their weights are, because those are small."""


@dataclass
class Schedule:
    """(tensor, backend) of every leaf, and of every node in order, with copies among them."""

    leafs: list
    nodes: list


def schedule(graph, n_devices, op_offload=True, pipelined=False):
    """The Schedule of a Graph. Changes the sources of nodes to the copies they read."""
    host = n_devices
    nodes = [node for node in graph.nodes if node.op not in VIEWS]
    _by_memory(graph, nodes, host, op_offload)
    _expand(nodes, host)
    _by_neighbours(graph, nodes, host)
    return _split(graph, host, pipelined)


def _home(tensor):
    return tensor.home if tensor.root is None else tensor.root.home


def _supports(backend, node, host):
    """A device can't compute on what another device holds."""
    if backend == host:
        return True
    return all(source.home is None or source.home in (backend, host) for source in node.sources)


def _by_memory(graph, nodes, host, op_offload):
    """Leafs, and the nodes that work on something that has its place already."""
    for leaf in graph.leafs:
        leaf.backend = leaf.home if leaf.home is not None else host if leaf.given else None
    for node in nodes:
        if node.root is not None and node.root.home is not None:
            node.backend = node.root.home
            continue
        if node.op in NOT_BY_WEIGHTS:
            continue
        for source in node.sources:
            if source.weight:
                node.backend = source.home
                if op_offload and source.home == host and _batch(node) >= OFFLOAD_MIN_BATCH:
                    for device in range(host):
                        if _supports(device, node, host):
                            node.backend = device
                            break
                break


def _batch(node):
    if node.op == "get_rows":
        return 0
    if node.op == "mul_mat":
        return node.shape[1]
    if node.op == "mul_mat_id":
        return node.shape[2]
    return node.shape[1] * node.shape[2] * node.shape[3]


def _expand(nodes, host):
    """Nodes without a place join their neighbours: devices first, down and then up; then the host."""
    for devices_only in (True, False):
        for order in (nodes, nodes[::-1]):
            current = None
            for node in order:
                if node.backend is not None:
                    current = None if devices_only and node.backend == host else node.backend
                elif current is not None and _supports(current, node, host):
                    node.backend = current


def _by_neighbours(graph, nodes, host):
    """The rest: nodes where most of their sources are, views where what they look at is, leafs where they are used."""
    for node in nodes:
        if node.backend is None:
            best = -1
            for backend in range(host + 1):
                if _supports(backend, node, host):
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
    leafs, nodes, copied, inputs_of_run = [], [], [], 0
    copies = COPIES if pipelined else 1
    current = None
    waiting = []
    for node in graph.nodes:
        if node.op in VIEWS:
            waiting.append((node, node.backend))
            continue
        backend = node.backend
        # every weight from elsewhere starts a run, so that the memory of the one before can be used again
        anew = backend == current and inputs_of_run and any(s.weight and s.backend != current and not _reads(current, s) for s in node.sources)
        if backend != current or anew:
            if current is not None:
                nodes.extend(run_inputs)
                nodes.extend(waiting)
                waiting = []
            run_inputs, inputs_of_run, current = [], 0, backend
        sources = node.sources
        changed = None
        for index, source in enumerate(sources):
            if source.backend == current or _reads(current, source):
                continue
            key = current
            if source.copies is None:
                source.copies = {}
            copy = source.copies.get(key)
            if copy is None:
                copy = Tensor("none", source.type, source.shape, size_bytes=_packed_bytes(source))
                copy.backend = current
                copy.output = copy.given = pipelined
                source.copies[key] = copy
                inputs_of_run += 1
                keep = Tensor("none", source.type, source.shape, (source,), root=source.root or source, size_bytes=0)
                run_inputs.append((keep, source.backend))
                run_inputs.append((copy, current))
                copied.append((copy, current))
            if changed is None:
                changed = list(sources)
            changed[index] = copy
        if changed is not None:
            node.sources = tuple(changed)
        waiting.append((node, backend))
    if current is not None:
        nodes.extend(run_inputs)
    nodes.extend(waiting)
    if pipelined:
        for leaf in graph.leafs:
            if leaf.given:
                leaf.output = True
                leafs.extend([(leaf, host)] + [(_twin(leaf, host), host) for _copy in range(copies - 1)])
        for copy, backend in copied:
            leafs.extend([(copy, backend)] + [(_twin(copy, backend), backend) for _copy in range(copies - 1)])
    leafs.extend((leaf, leaf.backend) for leaf in graph.leafs)
    return Schedule(leafs, nodes)


def _packed_bytes(source):
    """Bytes of a copy: of a view what it shows."""
    if source.root is None:
        return source.size_bytes
    elements = 1
    for size in source.shape:
        elements *= size
    root = source.root
    whole = root.shape[0] * root.shape[1] * root.shape[2] * root.shape[3]
    return root.size_bytes * elements // whole


def _twin(tensor, backend):
    twin = Tensor("none", tensor.type, tensor.shape, size_bytes=tensor.size_bytes)
    twin.output = twin.given = True
    twin.backend = backend
    return twin
