# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many bytes of the model's tensors each device holds.

Sources: src/llama-arch.cpp (LLM_TENSOR_INFOS: the layer a tensor belongs to), src/llama-model-loader.cpp
(create_tensor: tied embeddings, overrides), src/models/*.cpp (next-token-prediction blocks),
ggml/src/ggml-cuda/ggml-cuda.cu (padding).
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import TYPES

from .._model import once_per_model
from .devices import HOST

INPUT = ("token_embd.weight", "position_embd.weight", "token_types.weight", "per_layer_token_embd.weight")
"""Tensors of the input layer: always on the host."""

OUTPUT = re.compile(
    r"^(output|output_norm|token_embd_norm_lfm2|cls|cls\.output|cls\.norm|dense_2|dense_3|dec\.output_norm|enc\.output_norm"
    r"|hc_head_.*|output_hc_.*|output_res_score|altup_proj|altup_unembd_proj|nextn\.post_projection|fc|d2t|markov_w1|markov_w2|conf_proj"
    r"|selector_.*)\.[a-z_]+$"
)
"""Tensors of the output layer."""

UNUSED = re.compile(r"^(masked_embd_|dec\.blk\.\*\.cross_attn_rel_b)")
"""Tensors that llama.cpp leaves out (GGML_OP_NONE)."""

ROPE = re.compile(r"^rope_(freqs|factors_long|factors_short)\.")
"""Tensors shared by all blocks: a copy on every device that holds one."""

EXPERTS = re.compile(r"\.ffn_(up|down|gate|gate_up)_(ch|)exps")
"""Expert weights as --cpu-moe and --n-cpu-moe select them (common/common.h: LLM_FFN_EXPS_REGEX)."""

NEVER_RUN_NEXTN = frozenset({"exaone4", "exaone-moe", "bailingmoe2", "glm4", "dots3note"})
"""Architectures whose next-token-prediction blocks llama.cpp skips whatever is asked."""

NEXTN_ANYWAY = {
    "cohere2moe": re.compile(r"\.nextn\.(embed_tokens|shared_head_head|shared_head_norm)\."),
    "hy_v3": re.compile(r"\.(nextn\.(embed_tokens|shared_head_head|shared_head_norm)|ffn_(?!norm)\w+|exp_probs_b)\b"),
    "step35": re.compile(r"\.(nextn\.(embed_tokens|shared_head_head|shared_head_norm)|attn_[qk]_norm|attn_gate|ffn_(?!norm)\w+|exp_probs_b)\b"),
}
"""Tensors of next-token-prediction blocks that llama.cpp loads whether they are asked for or not: it forgets to skip those that a file may lack."""

NO_LM_HEAD = frozenset(
    {"bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3", "eurobert",
     "wavtokenizer-dec", "bitnet"}
)  # fmt: skip
"""Architectures that never load the token embedding again as the output matrix."""

OUTPUT_FIRST = frozenset({"gemma3n", "gemma4"})
"""Architectures that load the token embedding as the output matrix before they load it as itself: twice, wherever the output is."""

TYPE_OF_NAME = {entry.name: entry for entry in TYPES.values()}

NORMS_WITHOUT_SUFFIX = frozenset({"post_attention_norm", "post_ffw_norm", "ssm_b_norm", "ssm_c_norm", "ssm_dt_norm"})
"""Norms that some files call so, without ".weight" (src/models/plamo2.cpp, plamo3.cpp)."""

ALIGNMENT = 128
ROW_PADDING = 512

MOST_HELD, MOST_PLACEMENTS = 1024, 64
"""Ways to place the tensors of a block (and patterns of -ot), and those of all blocks, that are kept for the next question."""


class Held:
    """Tensors that lie together in one block, or outside the blocks: C(tensors) are (device, bytes there, TensorGroup).

    Blocks whose tensors are alike and on the same devices share one Held, so each of its figures is worked out once.
    """

    def __init__(self, tensors):
        self.tensors = tuple(tensors)

    @cached_property
    def bytes_on(self):
        """{device: bytes}"""
        found = {}
        for device, size, _group in self.tensors:
            found[device] = found.get(device, 0) + size
        return found

    @cached_property
    def by_name(self):
        """{name without the block: (shape, bytes there, device, bytes that a device would add)}"""
        return {_name_in_block(group): (four(group.shape), size, device, row_padding_bytes(group)) for device, size, group in self.tensors}

    @cached_property
    def kind(self):
        """What the graph of a block is made of."""
        return frozenset((group.name, group.shape, device) for device, _size, group in self.tensors)

    @cached_property
    def staged(self):
        """Bytes of the tensors on the host."""
        return tuple(size for device, size, _group in self.tensors if device == HOST)


def placed_tensors(model, settings, devices, layout):
    """(device, bytes there, TensorGroup, block or None) for every tensor llama.cpp loads, copies included."""
    for block, held in held_by_block(model, settings, devices, layout).items():
        for device, size, group in held.tensors:
            yield device, size, group, block


def held_by_block(model, settings, devices, layout):
    """{block or None: Held} for every tensor llama.cpp loads, copies included."""
    names = tuple([device.name for device in devices]) if settings.override_tensor else ()
    key = (layout, settings.n_cpu_moe, settings.cpu_moe, settings.override_tensor, bool(settings.mtp), names)
    known = _placements(model)
    if key not in known:
        if len(known) >= MOST_PLACEMENTS:
            known.clear()
        known[key] = _place(model, settings, devices, layout)
    return known[key]


@once_per_model
def _placements(_model):
    """What held_by_block() found, for the next question: context, cache type and batches often change with nothing moved."""
    return {}


def _place(model, settings, devices, layout):
    overridden = _overridden(model, [_rule(text, devices) for text in settings.override_tensor])
    n_cpu_moe = model.n_layer_all if settings.cpu_moe else settings.n_cpu_moe
    n_loaded = model.n_layer_all if settings.mtp and model.architecture not in NEVER_RUN_NEXTN else model.n_layer or model.n_layer_all
    outside = overridden.get(None, {})
    held = {None: Held([*_outside(model, layout, n_loaded, outside), *_tied(model, layout, outside)])}
    for block, together in enumerate(_loaded(model, n_loaded)):
        default = layout.blocks[block]
        experts = HOST if block < n_cpu_moe else default
        if block in overridden:
            names = overridden[block]
            held[block] = together.at(tuple(names.get(group.name, experts if is_expert else default) for group, is_expert in together.groups))
        else:
            held[block] = together.on(default, experts)
    return held


def _overridden(model, rules):
    """{block or None: {name pattern of a tensor there: device}} as -ot, (pattern, device), has it; the first match wins."""
    found = {}
    for pattern, device in reversed(rules):
        for block, name in _matching(model, pattern):
            found.setdefault(block, {})[name] = device
    return found


def _matching(model, pattern):
    """(block or None, name pattern) of each tensor that a pattern of -ot matches."""
    known = _matches(model)
    if pattern not in known:
        if len(known) >= MOST_HELD:
            known.clear()
        known[pattern] = [(block, name) for block, name, full_name in _names(model) if pattern.search(full_name)]
    return known[pattern]


@once_per_model
def _matches(_model):
    """What _matching() found, for the next question."""
    return {}


@once_per_model
def _names(model):
    """(block or None, name pattern, full name) of each tensor."""
    return [(block, group.name, group.name_in(block)) for group in model.tensors for block in (group.blocks or (None,))]


class _Together:
    """Tensors of one block: C(groups) are (TensorGroup, whether they are expert weights)."""

    def __init__(self, groups):
        self.groups = groups
        self._on, self._at = {}, {}

    def on(self, device, experts):
        """The Held of these tensors on a device, the experts on another."""
        if (device, experts) not in self._on:
            self._on[device, experts] = self.at(tuple(experts if is_expert else device for _group, is_expert in self.groups))
        return self._on[device, experts]

    def at(self, places):
        """The Held of these tensors, each on its device."""
        held = self._at.get(places)
        if held is None:
            if len(self._at) >= MOST_HELD:
                self._at.clear()
            held = self._at[places] = Held((device, _size_on(device, group), group) for device, (group, _is_expert) in zip(places, self.groups, strict=True))
        return held


@once_per_model
def _loaded(model, n_loaded):
    """What llama.cpp loads of each block, a list of _Together: of the first C(n_loaded) blocks all."""
    anyway = NEXTN_ANYWAY.get(model.architecture)
    blocks = [[] for _block in range(model.n_layer_all)]
    for group in model.tensors:
        if group.blocks is not None and not UNUSED.match(group.name):
            upto = model.n_layer_all if anyway and anyway.search(group.name) else n_loaded
            with_kind = (group, bool(EXPERTS.search(group.name)))
            for block in group.blocks:
                if block < upto:
                    blocks[block].append(with_kind)
    alike = {}
    return [alike.setdefault(tuple(map(id, groups)), _Together(groups)) for groups in blocks]


def _outside(model, layout, n_loaded, overridden):
    """(device, bytes there, TensorGroup) of the tensors outside the blocks, and of their copies."""
    for group in model.tensors:
        if group.blocks is None and not UNUSED.match(group.name):
            for default in _homes(group.name, layout, n_loaded):
                device = overridden.get(group.name, default)
                yield device, _size_on(device, group), group


def _homes(name, layout, n_loaded):
    """The devices of a tensor outside the blocks before overrides."""
    if name in INPUT:
        return (HOST,)
    if OUTPUT.match(name):
        return (layout.output,)
    if ROPE.match(name):
        return sorted(set(layout.blocks[:n_loaded]))
    return (layout.blocks[0],)  # used by the first block (token_embd_norm and the like)


def _tied(model, layout, overridden):
    """A model without an output matrix loads the token embedding twice, unless both land in one place, and some even then.

    -ot knows it as the token embedding both times.
    """
    by_name = {group.name: group for group in model.tensors}
    if "output.weight" in by_name:
        if "token_embd.weight" not in by_name and layout.output != HOST:
            yield HOST, by_name["output.weight"].size_bytes, by_name["output.weight"]
        return
    group = by_name.get("token_embd.weight")
    if group is None or model.architecture in NO_LM_HEAD:
        return
    told = overridden.get(group.name)
    if model.architecture in OUTPUT_FIRST or (told is None and layout.output != HOST):
        home = layout.output if told is None else told
        yield home, _size_on(home, group), group


@lru_cache(maxsize=1024)
def _compiled(pattern):
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InfraError(f"not a regular expression: {error}", where="settings.override_tensor", got=shown(pattern)) from None


def _rule(text, devices):
    """'regex=BUFFER' -> (pattern, device)."""
    pattern, equals, buffer = text.rpartition("=")
    if not equals:
        raise InfraError("no buffer named", where="settings.override_tensor", got=shown(text), expected="regex=BUFFER, for example 'exps=CPU'")
    numbers = {device.name: number for number, device in enumerate(devices)}
    numbers["CPU"] = HOST
    if buffer not in numbers:
        raise InfraError(f"no buffer {shown(buffer)}", where="settings.override_tensor", got=shown(text), fix=nearest(buffer, numbers))
    return _compiled(pattern), numbers[buffer]


def four(shape):
    """A shape as ggml has it."""
    return shape if len(shape) == 4 else (*shape, 1, 1, 1)[:4]


def _size_on(device, group):
    """Bytes a tensor takes in a device's buffer; on the host tensors are packed."""
    if device == HOST:
        return group.size_bytes
    size = group.size_bytes + row_padding_bytes(group)
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def row_padding_bytes(group):
    """Bytes that a device adds to a quantized tensor, so that its last row is whole (ggml-cuda.cu: get_alloc_size)."""
    kind = TYPE_OF_NAME[group.type]
    return -group.shape[0] % ROW_PADDING // kind.block_size * kind.block_bytes if kind.block_size > 1 else 0


def _name_in_block(group):
    name = group.name.replace("blk.*.", "", 1)  # "enc." and "dec." stay before it
    return f"{name}.weight" if name in NORMS_WITHOUT_SUFFIX else name
