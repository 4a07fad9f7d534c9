# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama.cpp copies from one device to another while it works on one micro-batch.

Source: ggml/src/ggml-backend.cpp (ggml_backend_sched_compute_splits: the inputs of each split are copied to its backend).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .compute import scheduled
from .devices import HOST
from .layout import layout
from .settings import pad
from .weights import held_by_block


@dataclass(frozen=True)
class Transfer:
    """C(size_bytes) from one device, or HOST, to another. C(given): an input, such as the mask, not a result."""

    source: int
    target: int
    size_bytes: int
    given: bool


def transfers(model, settings, devices, tokens, cells):
    """Every Transfer for C(tokens) of one sequence, one row of logits among them, with C(cells) of the cache in use."""
    cells = min(pad(max(cells, tokens)), settings.n_ctx_seq)
    one = replace(settings, n_ctx=cells, n_ctx_seq=cells, n_stream=1, n_seq_max=1, n_outputs=1, n_batch=tokens, n_ubatch=tokens)
    where = layout(model, one, devices)
    made = scheduled(model, one, devices, where, held_by_block(model, one, devices, where), running=True)
    host = len(devices)

    def number(backend):
        return HOST if backend == host else backend

    return tuple(Transfer(number(source.backend), number(copy.backend), copy.size_bytes, (source.root or source).given) for source, copy in made.copies)
