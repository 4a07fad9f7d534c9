# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tensors of a compute graph: shapes and sizes, no values.

What ggml does with a shape is stated here once. Source: ggml/src/ggml.c. A shape is four whole numbers, as in ggml.
"""

from __future__ import annotations

from ..weights import four

BYTES = {"f32": 4, "f16": 2, "bf16": 2, "i32": 4, "i64": 8}

BLOCKS = "in blocks"
"""The type of a quantized cache: bytes go by blocks of values, as many for each as in the whole cache."""

IN_PLACE = frozenset("fill scale add add_id sub mul div sqr sqrt log unary rope rms_norm clamp soft_max".split())
"""Operations whose result may take the place of a source (ggml-alloc.c: ggml_op_can_inplace)."""

VIEWS = frozenset("view reshape permute transpose".split())
"""Operations that only look at memory (ggml-impl.h: ggml_is_view_op)."""


class Tensor:
    """A node or a leaf of a graph. The scheduler and the allocator keep their notes on it.

    C(root): the tensor whose memory it looks at. C(home): the backend that holds a weight or a cache.
    C(packed): rows lie one after the other.
    C(scratch_bytes): what a device needs beside the result; C(scratch_of_copies_bytes): the same of flash attention on a copy of its cache, if that differs.
    """

    __slots__ = (
        "alive", "backend", "children", "copies", "given", "held_bytes", "home", "in_graph", "offset", "op", "output", "packed", "pool", "root",
        "scratch_bytes", "scratch_of_copies_bytes", "shape", "size_bytes", "sources", "type", "views", "weight",
    )  # fmt: skip

    def __init__(self, op, type_, shape, sources=(), root=None, packed=True, size_bytes=None):
        self.op = op
        self.type = type_
        self.shape = shape
        self.sources = sources
        self.root = root
        self.packed = packed
        self.size_bytes = shape[0] * shape[1] * shape[2] * shape[3] * BYTES[type_] if size_bytes is None else size_bytes
        self.scratch_bytes = 0
        self.scratch_of_copies_bytes = None
        self.home = None
        self.weight = False
        self.given = False
        self.output = False
        self.in_graph = False
        self.backend = None
        self.children = 0
        self.views = 0
        self.alive = False
        self.pool = None
        self.offset = 0
        self.held_bytes = 0
        self.copies = None


def leaf_weight(shape, size_bytes, home, scratch_bytes):
    tensor = Tensor("none", "f32", shape, size_bytes=size_bytes)
    tensor.home = home
    tensor.weight = True
    tensor.scratch_bytes = scratch_bytes
    return tensor


def leaf_cache(shape, size_bytes, home, type_="f32"):
    tensor = Tensor("none", type_ if type_ in BYTES else BLOCKS, four(shape), size_bytes=size_bytes)
    tensor.home = home
    return tensor


def leaf_input(type_, *shape):
    """What is written anew for each batch."""
    tensor = Tensor("none", type_, four(shape))
    tensor.given = True
    return tensor


def constant(*shape):
    """An F32 tensor without sources that an operation fills."""
    return Tensor("none", "f32", four(shape))


def same(op, *sources):
    """A result of the shape of the first source: the operations on single values, norms, soft max and rope."""
    return Tensor(op, sources[0].type, sources[0].shape, sources)


def mul_mat(a, b):
    return Tensor("mul_mat", "f32", (a.shape[1], b.shape[1], b.shape[2], b.shape[3]), (a, b))


def mul_mat_id(experts, b, ids):
    return Tensor("mul_mat_id", "f32", (experts.shape[1], ids.shape[0], b.shape[2], 1), (experts, b, ids))


def get_rows(a, ids):
    return Tensor("get_rows", "i32" if a.type == "i32" else "f32", (a.shape[0], ids.shape[0], ids.shape[1], ids.shape[2]), (a, ids))


def set_rows(target, rows, ids):
    """Rows written into C(target), whose memory the result is."""
    return Tensor("set_rows", target.type, target.shape, (rows, ids, target), root=target.root or target, size_bytes=0)


def copy(a, target):
    """C(a) written into C(target)."""
    return Tensor("cpy", target.type, target.shape, (a, target), root=target.root or target, size_bytes=0)


def in_place(op, a, *others):
    """An operation that is told to write where C(a) is."""
    return Tensor(op, a.type, a.shape, (a, *others), root=a.root or a, size_bytes=0)


def cast(a, type_):
    return Tensor("cpy", type_, a.shape, (a,))


def cont(a, *shape):
    shape = four(shape) if shape else a.shape
    return Tensor("cont", a.type, shape, (a,), size_bytes=in_blocks(a, shape))


def in_blocks(a, shape):
    """Bytes of a copy of C(a) with a shape where C(a) looks at a quantized cache, None where it doesn't."""
    return a.root.size_bytes * elements(shape) // elements(a.root.shape) if a.type == BLOCKS else None


def elements(shape):
    return shape[0] * shape[1] * shape[2] * shape[3]


def view(a, *shape, packed=False):
    return Tensor("view", a.type, four(shape), (a,), root=a.root or a, packed=packed, size_bytes=0)


def reshape(a, *shape):
    return Tensor("reshape", a.type, four(shape), (a,), root=a.root or a, size_bytes=0)


def permute(a, *axes):
    shape = [1, 1, 1, 1]
    for source, axis in enumerate(axes):
        shape[axis] = a.shape[source]
    return Tensor("permute", a.type, tuple(shape), (a,), root=a.root or a, packed=False, size_bytes=0)


def transpose(a):
    return Tensor("transpose", a.type, (a.shape[1], a.shape[0], *a.shape[2:]), (a,), root=a.root or a, packed=False, size_bytes=0)


def concat(a, b, axis):
    shape = list(a.shape)
    shape[axis] += b.shape[axis]
    return Tensor("concat", a.type, tuple(shape), (a, b), size_bytes=in_blocks(a, shape))


def repeat(a, *shape):
    return Tensor("repeat", a.type, four(shape), (a,))


def pad(a, *more):
    return Tensor("pad", a.type, tuple(size + extra for size, extra in zip(a.shape, four(more) if len(more) == 4 else (*more, *(0,) * (4 - len(more))))), (a,))


def sum_rows(a):
    return Tensor("sum_rows", a.type, (1, *a.shape[1:]), (a,))


def argsort(a):
    return Tensor("argsort", "i32", a.shape, (a,))


def top_k_of_argsort(a, k):
    return view(argsort(a), k, *a.shape[1:])


def top_k(a, k):
    return Tensor("top_k", "i32", (k, *a.shape[1:]), (a,))


def glu(gate, up=None):
    """swiglu, geglu and the like: of two tensors, or of the halves of one."""
    if up is not None:
        return Tensor("glu", gate.type, gate.shape, (gate, up))
    return Tensor("glu", gate.type, (gate.shape[0] // 2, *gate.shape[1:]), (gate,))


def result(op, shape, *sources, type_="f32"):
    """The result of an operation with a shape of its own."""
    return Tensor(op, type_, four(shape), sources)


class Graph:
    """Nodes in the order in which they are computed, and leafs (ggml_build_forward_expand).

    C(left_out): nodes that others stand for.
    """

    def __init__(self):
        self.nodes = []
        self.leafs = []
        self.left_out = 0

    def __len__(self):
        return len(self.nodes) + len(self.leafs) + self.left_out

    def expand(self, tensor):
        """Add C(tensor) and all it needs that isn't there yet, sources first and from left to right."""
        if tensor.in_graph:
            return tensor
        tensor.in_graph = True
        if tensor.op == "none":
            self.leafs.append(tensor)
            return tensor
        for source in tensor.sources:
            if not source.in_graph:
                self.expand(source)
        self.nodes.append(tensor)
        return tensor
