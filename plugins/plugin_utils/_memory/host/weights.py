# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Weights in RAM: memory of the server's own, or pages of the file that the system may drop and read again.

Sources: src/llama-model-loader.cpp (use_mmap), src/llama-model.cpp (load_tensors: auto, mlock; make_cpu_buft_list),
ggml/src/ggml-cpu/repack.cpp (ggml_repack_get_optimal_repack_type).
"""

from __future__ import annotations

from ..devices import HOST
from ..weights import INPUT, placed_tensors

MAPPED = ("auto", "mmap", "mmap+mlock")
"""auto: unless a device can't do with a mapped file, as GPUs of CUDA and ROCm that share the RAM; whoever asks says none then."""

LOCKED = ("mlock", "mmap+mlock")
DIRECT = "dio"

REPACKED = frozenset({"Q1_0", "Q2_K", "Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"})
"""Types that a processor may get interleaved: Q4_0, Q4_K, IQ4_NL and MXFP4 with AVX2, Q2_K with AVX-512, the others on ARM."""

ROWS = 4
"""Rows that are interleaved at least; a tensor whose rows are no multiple stays as it is."""


def is_mapped(load_mode):
    return load_mode in MAPPED


def own_bytes(model, allocation, devices, load_mode):
    """Of the host's weights those in memory of the server's own.

    A server without a GPU interleaves weights of some types, and these lose the file behind them. With one they stay as they are: the buffer
    that comes before (pinned memory) is given up for the plain one when the file is mapped (create_tensor).
    """
    if not is_mapped(load_mode):
        return allocation.host.weights_bytes
    if devices:
        return 0
    return sum(
        size for device, size, group, _block in placed_tensors(model, allocation.settings, devices, allocation.layout) if device == HOST and _is_repacked(group)
    )


def _is_repacked(group):
    return group.type in REPACKED and len(group.shape) > 1 and group.shape[1] % ROWS == 0 and group.name not in INPUT
