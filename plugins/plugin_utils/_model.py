# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model as the memory rules see it. Private: not an interface for other collections.

Built from the plain dictionary that the lookup C(gguf) and the module C(gguf_info) return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import TYPES

REQUIRED = ("architecture", "hyperparameters", "tensors")
TYPE_NAMES = frozenset(entry.name for entry in TYPES.values())


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
    def n_layer_all(self):
        """Blocks, those for next-token prediction included (llama.cpp: hparams.n_layer_all).

        Nanbeige runs its blocks several times and counts each time; Granite Switch adds a block, its router.
        """
        return self.integer("block_count") * self._loops + self._routers

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
        return self.integer("context_length")

    @cached_property
    def n_embd(self):
        return self.integer("embedding_length")

    @cached_property
    def n_vocab(self):
        return self.integer("vocab_size", 0)

    @cached_property
    def n_expert_used(self):
        return max(self.per_layer("expert_used_count", 0), default=0)

    @cached_property
    def names(self):
        """Name patterns of the tensors that the file has."""
        return frozenset(group.name for group in self.tensors)

    def integer(self, key, default=None):
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
        return value

    def per_layer(self, key, default=None):
        """One whole number for each block; a scalar in the file holds for all of them."""
        value = self.hyperparameters.get(key, default)
        if not isinstance(value, list):
            return (self.integer(key, default),) * self.n_layer_all
        if self._loops > 1 or self._routers:
            value = value[: self.integer("block_count")] * self._loops + value[-1:] * self._routers
        if len(value) < self.n_layer_all or any(not isinstance(item, int) for item in value):
            raise InfraError(
                f"'{self.architecture}.{key}' does not have one whole number for each block",
                where=self.name or "model",
                got=f"{len(value)} values",
                expected=f"{self.n_layer_all}",
            )
        return tuple(int(item) for item in value[: self.n_layer_all])


def model_from_plain(plain):
    """The Model of a plain dictionary. Raises InfraError naming what is missing or malformed."""
    if not isinstance(plain, dict):
        raise InfraError("not a model", got=shown(plain), expected="what the lookup prositronic.infra.gguf returns")
    for key in REQUIRED:
        if key not in plain:
            raise InfraError(f"the model has no '{key}'", where="model", expected="what the lookup prositronic.infra.gguf returns")
    if not isinstance(plain["hyperparameters"], dict) or not isinstance(plain["tensors"], list):
        raise InfraError("'hyperparameters' must be a dictionary and 'tensors' a list", where="model")
    model = Model(
        architecture=plain["architecture"],
        hyperparameters=MappingProxyType(plain["hyperparameters"]),
        tensors=tuple(_group(row, f"model.tensors[{index}]") for index, row in enumerate(plain["tensors"])),
        name=plain.get("name") or "",
        quantization=plain.get("quantization") or "",
    )
    if not 0 < model.n_layer_all <= 4096 or not 0 <= model.n_layer_nextn <= model.n_layer_all:
        raise InfraError("impossible number of blocks", where="model", got=f"{model.n_layer_all}, {model.n_layer_nextn} of them for next-token prediction")
    return model


def _group(row, where):
    try:
        if row["type"] not in TYPE_NAMES:
            raise InfraError("unknown tensor type", where=f"{where}.type", got=shown(row["type"]))
        return TensorGroup(
            name=row["name"],
            blocks=None if row["blocks"] is None else _blocks(row["blocks"], where),
            type=row["type"],
            shape=tuple(row["shape"]),
            size_bytes=row["size_bytes"],
        )
    except KeyError as missing:
        raise InfraError(f"the tensor row has no {missing}", where=where, fix=nearest(missing.args[0], row)) from None
    except TypeError:
        raise InfraError("not a row of the tensor table", where=where, got=shown(row)) from None


def _blocks(text, where):
    """'0-2,5' -> (0, 1, 2, 5)"""
    blocks = []
    for part in str(text).split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InfraError("not a list of blocks", where=f"{where}.blocks", got=shown(text), expected="for example '0-2,5'")
        stop = int(last or first)
        if stop > 4096:
            raise InfraError("impossible block number", where=f"{where}.blocks", got=shown(text))
        blocks.extend(range(int(first), stop + 1))
    return tuple(blocks)
