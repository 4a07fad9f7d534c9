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
from functools import lru_cache

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import TYPES

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

ALIGNMENT = 128
ROW_PADDING = 512


def placed_tensors(model, settings, devices, layout):
    """(device, bytes there, TensorGroup, block or None) for every tensor llama.cpp loads, copies included."""
    override = _override(model, settings, devices)
    n_loaded = model.n_layer_all if settings.mtp and model.architecture not in NEVER_RUN_NEXTN else model.n_layer or model.n_layer_all
    anyway = NEXTN_ANYWAY.get(model.architecture)
    for group in model.tensors:
        if UNUSED.match(group.name):
            continue
        for block, default in _homes(group, layout, model.n_layer_all if anyway and anyway.search(group.name) else n_loaded):
            device = override(group, block, default)
            yield device, _size_on(device, group), group, block
    yield from _tied(model, layout)


def _homes(group, layout, n_loaded):
    """(block, device) pairs for the copies of a tensor before overrides."""
    if group.blocks is not None:
        for block in group.blocks:
            if block < n_loaded:
                yield block, layout.blocks[block]
    elif group.name in INPUT:
        yield None, HOST
    elif OUTPUT.match(group.name):
        yield None, layout.output
    elif ROPE.match(group.name):
        for device in sorted(set(layout.blocks[:n_loaded])):
            yield None, device
    else:
        # the rest is used by the first block (token_embd_norm and the like)
        yield None, layout.blocks[0]


def _tied(model, layout):
    """A model without an output matrix loads the token embedding twice, unless both land on the host, and some even then."""
    by_name = {group.name: group for group in model.tensors}
    if "output.weight" in by_name:
        if "token_embd.weight" not in by_name and layout.output != HOST:
            yield HOST, by_name["output.weight"].size_bytes, by_name["output.weight"], None
        return
    group = by_name.get("token_embd.weight")
    if group is None or model.architecture in NO_LM_HEAD:
        return
    if layout.output != HOST or model.architecture in OUTPUT_FIRST:
        yield layout.output, _size_on(layout.output, group), group, None


def _override(model, settings, devices):
    """A function (group, block, device) -> device for -ot, --cpu-moe and --n-cpu-moe; the first match wins."""
    rules = [_rule(text, devices) for text in settings.override_tensor]
    n_cpu_moe = model.n_layer_all if settings.cpu_moe else settings.n_cpu_moe

    def override(group, block, device):
        if rules:
            name = group.name_in(block)
            for pattern, target in rules:
                if pattern.search(name):
                    return target
        if block is not None and block < n_cpu_moe and EXPERTS.search(group.name):
            return HOST
        return device

    return override


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
