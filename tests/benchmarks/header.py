# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long reading a local header takes, next to the reader of the gguf package."""

from __future__ import annotations

import os
import pathlib
import tempfile

import gguf
import models
from timing import heading, measured, peak_mib

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local

TOKENS, BLOCKS = 150_000, 222
RUNS, RUNS_OF_THEIRS = 20, 3


def main():
    with tempfile.TemporaryDirectory() as directory:
        path = str(pathlib.Path(directory, "model.gguf"))
        header = write(path, *models.llama(BLOCKS, TOKENS))
        heading(f"Header on disk, {TOKENS} tokens and as many merges, {9 * BLOCKS} tensors, {header / (1 << 20):.1f} MiB", RUNS)
        ours = measured(lambda: read_local(path), RUNS)
        theirs = measured(lambda: gguf.GGUFReader(path), RUNS_OF_THEIRS)
        print(ours.row("this collection", f"{peak_mib(lambda: read_local(path)):.1f} MiB; aim: < 60 ms"))
        print(theirs.row(f"gguf.GGUFReader ({RUNS_OF_THEIRS} runs)", f"{peak_mib(lambda: gguf.GGUFReader(path)):.1f} MiB"))
        write(path, *models.llama(BLOCKS, 1))
        print(measured(lambda: read_local(path), RUNS).row("this collection, without the vocabulary"))
        for name in ("DeepSeek-V3.1-Q4_K_M", "Llama-3.1-8B-Q4_K_M"):
            print(measured(lambda name=name: read_local(models.truth(name)), RUNS).row(f"{name}, without vocabulary"))
        print(f"{theirs.median / ours.median:.0f} times as fast as gguf.GGUFReader; aim: at least 20")


def write(path, header, size_bytes):
    """The header and, where the weights would be, a hole: the package's reader wants their place. Returns the header's size."""
    pathlib.Path(path).write_bytes(header)
    os.truncate(path, size_bytes)
    return len(header)
