# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a file that is no GGUF is instead, so that the error says what to do."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

MAGIC = b"GGUF"


def not_gguf(label, start):
    """The error for a file that begins with C(start) (a few dozen bytes)."""
    kind, fix = _recognised(start)
    return InfraError(f"not a GGUF file{kind}", where=label, got=f"{shown(start[:4])} at its start", expected=repr(MAGIC), fix=fix)


def _recognised(start):
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return " but an HTML page", "The server answered with a page instead of the file: check the address and whether it wants a login."
    if start.startswith(b"version https://git-lfs"):
        return " but a git-lfs pointer", "Fetch the real file with 'git lfs pull', or download it from the repository's page."
    if start[8:10] == b'{"':
        return " but a safetensors file", "Take a GGUF of this model, or convert it with llama.cpp's convert_hf_to_gguf.py."
    if start.startswith(b"PK\x03\x04"):
        return " but a ZIP archive (a PyTorch checkpoint?)", "Take a GGUF of this model."
    if start[:4] in (b"lmgg", b"fmgg", b"tjgg"):
        return " but a GGML file from before GGUF", "Take a GGUF of this model; llama.cpp dropped the older formats in 2023."
    return "", "Give the path of a .gguf file."
