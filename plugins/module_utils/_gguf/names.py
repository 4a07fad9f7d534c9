# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the name of a GGUF file tells: its quantization, and which shard of a split model it is."""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

MAX_SHARDS = 1024

# The format of llama.cpp's llama_split_path().
_SHARD = re.compile(r"(?P<prefix>.+)-(?P<number>[0-9]{5})-of-(?P<count>[0-9]{5})\.gguf", re.DOTALL)

_QUANTIZATION = re.compile(r"[-._]((?:UD-)?(?:I?Q[0-9]|TQ[0-9]|B?F16|FP16|F32|MXFP4|NVFP4)(?:_[A-Z0-9]+)*)$", re.IGNORECASE)


class Shard(NamedTuple):
    prefix: str
    number: int  # from 1
    count: int


def shard_of(name):
    """The Shard that C(name) (a path or a URL's path) says it is, or None."""
    match = _SHARD.fullmatch(name)
    if match is None:
        return None
    number, count = int(match["number"]), int(match["count"])
    if not 1 <= number <= count:
        return None
    return Shard(match["prefix"], number, count)


def shard_names(name):
    """Every file of the model that C(name) belongs to, the first one first. Raises InfraError for more than a model has."""
    shard = shard_of(name)
    if shard is None:
        return [name]
    if shard.count > MAX_SHARDS:
        fix = "Merge them with llama-gguf-split --merge."
        raise InfraError("the model has too many shards", where=shown(name), got=shard.count, expected=f"at most {MAX_SHARDS}", fix=fix)
    return [f"{shard.prefix}-{number:05d}-of-{shard.count:05d}.gguf" for number in range(1, shard.count + 1)]


def part_name(number, count):
    """How messages call a file of a model."""
    return "the model file" if count == 1 else f"shard {number} of {count}"


def stem_of(name):
    """The file name without directory, suffix and shard number."""
    shard = shard_of(name)
    stem = (name if shard is None else shard.prefix).rsplit("/", 1)[-1]
    return stem[: -len(".gguf")] if stem.lower().endswith(".gguf") else stem


def quantization_of(name):
    """C(Q4_K_M) of C(dir/Some-Model-q4_k_m-00001-of-00002.gguf); None where the name ends in no quantization."""
    match = _QUANTIZATION.search(stem_of(name))
    return None if match is None else match[1].upper()


def title_of(name):
    """The stem without its quantization."""
    return _QUANTIZATION.sub("", stem_of(name))
