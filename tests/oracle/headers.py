# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Headers of the models in architectures.py: llama.cpp says which tensors a model with their keys has, and this writes the file.

usage: headers.py FOLDER [NAME …]
"""

from __future__ import annotations

import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import architectures
import llamacpp

KINDS = {bool: (7, "?"), int: (4, "I"), float: (6, "f")}
SIGNED = (5, "i")
STRING, ARRAY = 8, 9
ALIGNMENT = 32
LARGEST = 2**32 - 1

F32, F16, Q8_0, Q4_K, Q6_K = 0, 1, 8, 12, 14
BLOCK = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34), Q4_K: (256, 144), Q6_K: (256, 210)}

NOT_QUANTIZED = re.compile(
    r"_norm|ffn_gate_inp|altup|laurel|per_layer_model_proj|position_embd|token_types|ssm_conv1d|shortconv\.conv|time_mix_(first|[wvag][012]|decay_w|lerp)"
    r"|attn_rel_b|hc_|indexer\.(attn_k|proj)|indexer_compressor|attn_compressor|lora_[ab]|ssm_[adx]$|rope_f|attn_sinks|output_scale|layer_output|_ape"
)
"""Weights that llama-quantize leaves as they are (src/llama-quant.cpp), and some it does not know: F32 here."""
BETTER = re.compile(r"^output\.weight|attn_v\.weight|ffn_down")
"""Weights that Q4_K_M keeps at 6 bits in some blocks."""


def main(arguments: list[str]) -> int:
    llamacpp.build()
    folder = pathlib.Path(arguments[0])
    failed = 0
    for name in arguments[1:] or architectures.MODELS:
        try:
            (folder / f"{name}.gguf").write_bytes(header(architectures.MODELS[name]))
        except llamacpp.Failed as failure:
            failed += 1
            print(f"{name}: {failure}", file=sys.stderr)
    return 1 if failed else 0


def header(made: architectures.Made) -> bytes:
    """The bytes of a GGUF file up to where its weights begin."""
    prefix = made.architecture
    keys = {"general.architecture": prefix, "general.quantization_version": 2, "tokenizer.ggml.model": "none"}
    for name, value in (architectures.BASE | made.keys).items():
        keys[name if name.startswith(("tokenizer.", "xielu.")) else f"{prefix}.{name}"] = value
    pairs = [_pair(name, value) for name, value in keys.items()]
    tensors = _tensors(_file(pairs, []), made)
    infos, offset = [], 0
    for name, shape in tensors:
        kind = _type(name, shape)
        infos.append(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset))
        offset += _padded(_bytes(shape, kind))
    return _file(pairs, infos)


def _tensors(keys: bytes, made: architectures.Made) -> list[tuple[str, list[int]]]:
    options = [f"optional={each}" for each in made.optional]
    options += [f"shape={name}:{','.join(map(str, shape))}" for name, shape in made.shapes.items()]
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        file.write(keys)
        file.flush()
        answer = subprocess.run([str(llamacpp.tensors_program()), file.name, *options], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise llamacpp.Failed(answer.stderr.strip() or f"ended with {answer.returncode}")
    rows = [line.split() for line in answer.stdout.splitlines()]
    return [(name, list(map(int, shape))) for name, *shape in rows]


def _type(name: str, shape: list[int]) -> int:
    if len(shape) == 1 or NOT_QUANTIZED.search(name) or not name.endswith(".weight"):
        return F32
    if shape[0] % 256 == 0:
        number = re.search(r"\.(\d+)\.", name)
        return Q6_K if BETTER.search(name) and (number is None or int(number[1]) % 2 == 0) else Q4_K
    return Q8_0 if shape[0] % 32 == 0 else F16


def _bytes(shape: list[int], kind: int) -> int:
    elements, size = BLOCK[kind]
    total = shape[0] // elements * size
    for dimension in shape[1:]:
        total *= dimension
    return total


def _file(pairs: list[bytes], infos: list[bytes]) -> bytes:
    whole = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(pairs)) + b"".join(pairs) + b"".join(infos)
    return whole + b"\0" * (_padded(len(whole)) - len(whole))


def _padded(size: int) -> int:
    return -size % ALIGNMENT + size


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _pair(name: str, value: object) -> bytes:
    if isinstance(value, str):
        return _string(name) + struct.pack("<I", STRING) + _string(value)
    if isinstance(value, list):
        number, code = SIGNED if isinstance(value[0], int) else KINDS[type(value[0])]
        return _string(name) + struct.pack("<IIQ", ARRAY, number, len(value)) + struct.pack(f"<{len(value)}{code}", *value)
    number, code = KINDS[type(value)]
    return _string(name) + struct.pack("<I", number) + struct.pack(f"<{code}", value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
