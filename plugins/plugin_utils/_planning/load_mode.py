# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the weights come into memory (--load-mode)."""

from __future__ import annotations

from .._units import human

NOT_MAPPED = ("none", "mlock", "dio")


def load_mode(wishes, node, host_bytes, op_offload):
    """(mode, reason or None).

    Without mmap the weights in RAM lie in memory that an NVIDIA or AMD driver has pinned, from which copies to the GPU run at the full
    speed of the bus (src/llama-model.cpp: make_cpu_buft_list; the pinned buffer is not used with mmap). Where they are copied for each batch
    of a prompt that is worth giving up the page cache, as long as they are at most half of the RAM: drivers refuse to pin much more.
    """
    if wishes.load_mode is not None:
        return wishes.load_mode, f"Load mode {wishes.load_mode}: as asked."
    staged = bool(node.gpus) and op_offload and host_bytes > 0 and not any(gpu.unified_memory for gpu in node.gpus)
    if staged and is_pinned(None, node, host_bytes):
        return (
            "none",
            f"Load mode none: the {human(host_bytes)} of weights in RAM lie in pinned memory, from which prompts are worked on faster than from a mapped file.",
        )
    if staged:
        return "auto", f"Load mode auto: {human(host_bytes)} of weights in RAM are more than half of it, too much to pin; the file is mapped."
    return "auto", None


def is_pinned(mode, node, host_bytes):
    """Whether weights in RAM lie in pinned memory under C(mode), None for the one chosen here."""
    return mode in NOT_MAPPED if mode is not None else host_bytes <= node.memory_total_bytes // 2
