# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The output buffer: a row of logits for each slot.

Source: src/llama-context.cpp, llama_context::output_reserve. It lies in RAM, pinned where there is a GPU, and is in none of llama.cpp's totals.
"""

from __future__ import annotations

FLOAT_BYTES = 4


def output_bytes(model, n_outputs):
    """Bytes for as many outputs as a batch may have: one for each slot, unless the server is told to make more."""
    return FLOAT_BYTES * model.n_vocab * n_outputs
