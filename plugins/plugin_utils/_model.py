# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model as the memory rules see it. Private: not an interface for other collections.

Built from the plain dictionary that the lookup C(gguf) and the module C(gguf_info) return.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from math import prod
from types import MappingProxyType

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, printable, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import TYPES
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.model import ARCHITECTURE

REQUIRED = ("architecture", "hyperparameters", "tensors")
TYPE_OF_NAME = {entry.name: entry for entry in TYPES.values()}
EXPECTED = "what the lookup prositronic.infra.gguf returns"

MAX_LAYERS, MAX_EXPERTS = 512, 1024
"""What llama.cpp has room for (src/llama-hparams.h: LLAMA_MAX_LAYERS, LLAMA_MAX_EXPERTS)."""

UINT32_MAX = (1 << 32) - 1
"""llama.cpp reads whole numbers of a header as uint32_t (src/llama-model-loader.cpp: get_key)."""

ANY_LENGTH = frozenset({"attention.sliding_window_pattern"})
"""Lists that llama.cpp takes with more values than blocks (src/llama-model.cpp: load_swa_pattern)."""

WITHOUT_ONE_EXPERT = frozenset({"hunyuan-dense", "hunyuan_vl"})
"""Architectures of which llama.cpp takes a single expert for none (src/llama-model.cpp: load_hparams)."""

MAX_GROUPS, MAX_TENSORS = 4096, 16384
"""Several times those of the largest models: every question about memory goes through all of them."""

_TENSOR_NAME = re.compile(r"[A-Za-z0-9_.*-]{1,64}")
_EXPERTS = re.compile(r"blk\.\*\.ffn_(up|down|gate|gate_up|norm)_(ch)?exps\.[a-z_]+")
_INT64_MAX = (1 << 63) - 1
_LONGEST_NAME = 120


@dataclass(frozen=True)
class TensorGroup:
    """Tensors that differ in their block only: one name pattern, one type, one shape.

    C(blocks) is None for a tensor outside the blocks. C(size_bytes) is the size of one tensor.
    """

    name: str
    blocks: tuple[int, ...] | None
    type: str
    shape: tuple[int, ...]
    size_bytes: int

    def name_in(self, block):
        """The full name of the tensor in C(block), as in the file."""
        return self.name if block is None else self.name.replace("*", str(block), 1)


@dataclass(frozen=True)
class Model:
    """Architecture, hyperparameters (GGUF keys without the architecture prefix) and tensors."""

    architecture: str
    hyperparameters: Mapping
    tensors: tuple[TensorGroup, ...]
    name: str = ""
    quantization: str = ""

    @cached_property
    def known(self):
        """What was worked out about this model: see once_per_model."""
        return {}

    @cached_property
    def n_layer_all(self):
        """Blocks, those for next-token prediction included (llama.cpp: hparams.n_layer_all).

        Nanbeige runs its blocks several times and counts each time; Granite Switch adds a block, its router.
        """
        n_layer_all = self.n_block * self._loops + self._routers
        if n_layer_all > MAX_LAYERS:
            raise InfraError("the model runs more blocks than llama.cpp can", where=self.name or "model", got=n_layer_all, expected=f"at most {MAX_LAYERS}")
        return n_layer_all

    @cached_property
    def n_block(self):
        """Blocks in the file."""
        return self.integer("block_count", minimum=1, maximum=MAX_LAYERS)

    def block_in_file(self, block):
        """The block of the file that is run as C(block)."""
        return block % self.n_block if block is not None and self.is_looped else block

    @cached_property
    def is_looped(self):
        return self._loops > 1

    @cached_property
    def _loops(self):
        return max(self.integer("num_loops", 1), 1) if self.architecture == "nanbeige" else 1

    @cached_property
    def _routers(self):
        return 1 if self.architecture == "graniteswitch" else 0

    @cached_property
    def n_layer_nextn(self):
        return self._routers or self.integer("nextn_predict_layers", 0)

    @cached_property
    def n_layer(self):
        """Blocks that the main graph runs (llama.cpp: hparams.n_layer())."""
        return self.n_layer_all - self.n_layer_nextn

    @cached_property
    def n_ctx_train(self):
        return self.integer("context_length", minimum=1)

    @cached_property
    def n_embd(self):
        return self.integer("embedding_length", minimum=1)

    @cached_property
    def n_vocab(self):
        return self.integer("vocab_size", 0)

    @cached_property
    def n_expert(self):
        return self.integer("expert_count", 0, maximum=MAX_EXPERTS)

    @cached_property
    def n_expert_used(self):
        return max(self.per_layer("expert_used_count", 0), default=0)

    @cached_property
    def names(self):
        """Name patterns of the tensors that the file has."""
        return frozenset(group.name for group in self.tensors)

    def integer(self, key, default=None, minimum=0, maximum=UINT32_MAX):
        """One whole number; of a list the first, as llama.cpp's accessors without a layer do."""
        value = self.hyperparameters.get(key, default)
        if isinstance(value, list):
            value = value[0] if value else default
        if isinstance(value, bool) or not isinstance(value, int):
            raise InfraError(
                f"the model's header has no usable '{self.architecture}.{key}'",
                where=self.name or "model",
                got=shown(value),
                expected="a whole number",
                fix="The file may be damaged or made for another program; convert it again",
            )
        if not minimum <= value <= maximum:
            raise self.impossible(key, value, f"{minimum} to {maximum}")
        return value

    def per_layer(self, key, default=None):
        """One whole number for each block; a scalar in the file holds for all of them."""
        if (key, default) not in self.known:
            self.known[key, default] = self._per_layer(key, default)
        return self.known[key, default]

    def _per_layer(self, key, default):
        value = self.hyperparameters.get(key, default)
        if not isinstance(value, list):
            return (self.integer(key, default),) * self.n_layer_all
        wrong_length = len(value) < self.n_block if key in ANY_LENGTH else len(value) != self.n_block
        if not wrong_length and (self._loops > 1 or self._routers):
            value = value[: self.n_block] * self._loops + value[-1:] * self._routers
        if wrong_length or any(not isinstance(item, int) for item in value):
            raise InfraError(
                f"'{self.architecture}.{key}' does not have one whole number for each block",
                where=self.name or "model",
                got=f"{len(value)} values",
                expected=f"{self.n_block}",
            )
        for item in value:
            if not 0 <= item <= UINT32_MAX:
                raise self.impossible(key, item, f"0 to {UINT32_MAX}")
        return tuple(int(item) for item in value[: self.n_layer_all])

    def impossible(self, key, value, expected):
        """The error for a value of the header that llama.cpp refuses too."""
        return InfraError(
            f"'{self.architecture}.{key}' can't be right",
            where=self.name or "model",
            got=shown(value),
            expected=expected,
            fix="The file may be damaged or made for another program; convert it again",
        )


def once_per_model(function):
    """A function of a Model, and of little else, whose results are kept with the Model."""

    @wraps(function)
    def remembered(model, *more):
        if (function, *more) not in model.known:
            model.known[(function, *more)] = function(model, *more)
        return model.known[(function, *more)]

    return remembered


def model_from_plain(plain):
    """The Model of a plain dictionary. Raises InfraError naming what is missing or malformed."""
    if not isinstance(plain, dict):
        raise InfraError("not a model", got=shown(plain), expected=EXPECTED)
    if list(plain) == ["error"] and isinstance(plain["error"], str):  # of the lookup gguf, for a model that it could not read
        raise InfraError(plain["error"])
    for key in REQUIRED:
        if key not in plain:
            raise InfraError(f"the model has no '{key}'", where="model", expected=EXPECTED)
    architecture = plain["architecture"]
    if not isinstance(architecture, str) or not ARCHITECTURE.fullmatch(architecture):
        raise InfraError("not an architecture's name", where="model.architecture", got=shown(architecture), expected="a name like llama")
    if not isinstance(plain["hyperparameters"], dict) or not isinstance(plain["tensors"], list):
        raise InfraError("'hyperparameters' must be a dictionary and 'tensors' a list", where="model")
    _check_figures(plain)
    model = Model(
        architecture=architecture,
        hyperparameters=MappingProxyType(_checked(plain["hyperparameters"])),
        tensors=_groups(plain["tensors"]),
        name=_line(plain, "name"),
        quantization=_line(plain, "quantization"),
    )
    _check_blocks_and_experts(model)
    return model


def _line(plain, key):
    """A text for messages: short, and without characters that would do something to a terminal."""
    text = plain.get(key) or ""
    if not isinstance(text, str):
        raise InfraError("not a string", where=f"model.{key}", got=shown(text), expected=EXPECTED)
    return printable(text[:_LONGEST_NAME])


def _check_figures(plain):
    """What goes into a plan as it is."""
    for key in ("parameters", "size_bytes"):
        value = plain.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _INT64_MAX:
            raise InfraError("no possible number", where=f"model.{key}", got=shown(value), expected=f"0 to {_INT64_MAX}")
    files = plain.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise InfraError("not a list of files", where="model.files", got=shown(files), expected=EXPECTED)


def _checked(hyperparameters):
    """Values are what GGUF has: one number, text or boolean, or a list of them."""
    for key, value in hyperparameters.items():
        for item in value if isinstance(value, list) else (value,):
            if not isinstance(item, (int, float, str)):
                raise InfraError(f"no value of a GGUF header for {shown(key)}", where="model.hyperparameters", got=shown(item), expected=EXPECTED)
    return hyperparameters


def _check_blocks_and_experts(model):
    """As llama.cpp does before it looks at a tensor (src/llama-model.cpp: llama_model_base::load_hparams)."""
    if model.n_layer_nextn >= model.n_layer_all:
        raise model.impossible("nextn_predict_layers", model.n_layer_nextn, f"fewer than the {model.n_layer_all} blocks")
    if model.n_expert <= 1 and model.architecture in WITHOUT_ONE_EXPERT:
        return
    if model.n_expert_used > model.n_expert or (model.n_expert and not model.n_expert_used):
        raise model.impossible(
            "expert_used_count", model.n_expert_used, f"1 to {model.n_expert} of the experts" if model.n_expert else "0: there are no experts"
        )


def _groups(rows):
    if len(rows) > MAX_GROUPS:
        raise InfraError("too many rows in the tensor table", where="model.tensors", got=len(rows), expected=f"at most {MAX_GROUPS}")
    groups, tensors, seen = [], 0, {}
    for index, row in enumerate(rows):
        group = _group(row, f"model.tensors[{index}]")
        blocks = (None,) if group.blocks is None else group.blocks
        tensors += len(blocks)
        if tensors > MAX_TENSORS:
            raise InfraError("too many tensors", where="model.tensors", got=f"more than {tensors - 1}", expected=f"at most {MAX_TENSORS}")
        here = seen.setdefault(group.name, set())
        if not here.isdisjoint(blocks):
            raise InfraError(f"the tensor {group.name} is there twice", where=f"model.tensors[{index}]")
        here.update(blocks)
        groups.append(group)
    return tuple(groups)


def _group(row, where):
    try:
        kind = row["type"]
        if not isinstance(kind, str) or kind not in TYPE_OF_NAME:
            raise InfraError("unknown tensor type", where=f"{where}.type", got=shown(kind), fix=nearest(kind, TYPE_OF_NAME))
        name, blocks, shape, size_bytes = row["name"], row["blocks"], row["shape"], row["size_bytes"]
    except KeyError as missing:
        raise InfraError(f"the tensor row has no {missing}", where=where, expected=EXPECTED) from None
    except TypeError:
        raise InfraError("not a row of the tensor table", where=where, got=shown(row)) from None
    if not isinstance(name, str) or not _TENSOR_NAME.fullmatch(name):
        raise InfraError("not a tensor's name", where=f"{where}.name", got=shown(name), expected="letters, digits, dots and underscores")
    if "exps" in name and not _EXPERTS.fullmatch(name):
        raise InfraError("no tensor of experts that llama.cpp knows", where=f"{where}.name", got=name, expected="for example blk.*.ffn_up_exps.weight")
    if ("*" in name) != (blocks is not None):
        raise InfraError("only the name of a tensor with blocks has a *", where=f"{where}.blocks", got=f"{shown(blocks)} for {name}")
    expected_bytes = _size_bytes(TYPE_OF_NAME[kind], shape, f"{where}.shape")
    if size_bytes != expected_bytes or isinstance(size_bytes, bool):
        raise InfraError("not the size of a tensor of this type and shape", where=f"{where}.size_bytes", got=shown(size_bytes), expected=expected_bytes)
    return TensorGroup(name=name, blocks=None if blocks is None else _blocks(blocks, where), type=kind, shape=tuple(shape), size_bytes=size_bytes)


def _is_length(size):
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size <= _INT64_MAX


def _size_bytes(kind, shape, where):
    possible = isinstance(shape, list) and 1 <= len(shape) <= 4 and all(map(_is_length, shape))
    if not possible or prod(shape) > _INT64_MAX or shape[0] % kind.block_size:
        raise InfraError(
            f"impossible shape for a tensor of type {kind.name}", where=where, got=shown(shape), expected=f"rows of a multiple of {kind.block_size}"
        )
    return prod(shape) // kind.block_size * kind.block_bytes


def _blocks(text, where):
    """'0-2,5' -> (0, 1, 2, 5)"""
    blocks = []
    for part in str(text).split(","):
        first, dash, last = part.partition("-")
        if not _is_number(first) or (dash and not _is_number(last)):
            raise InfraError("not a list of blocks", where=f"{where}.blocks", got=shown(text), expected="for example '0-2,5'")
        start, stop = int(first), int(last or first)
        if stop >= MAX_LAYERS:
            raise InfraError("impossible block number", where=f"{where}.blocks", got=shown(text), expected=f"less than {MAX_LAYERS}")
        if start > stop or (blocks and start <= blocks[-1]):
            raise InfraError("the blocks are not in order", where=f"{where}.blocks", got=shown(text), expected="for example '0-2,5'")
        blocks.extend(range(start, stop + 1))
    return tuple(blocks)


def _is_number(text):
    return text.isascii() and text.isdecimal() and len(text) <= 9
