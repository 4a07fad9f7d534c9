# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What loading needs on top, and gives back: buffers through which weights go to a GPU.

Source: src/llama-model-loader.cpp, llama_model_loader::load_all_data. With mmap tensors are copied from the mapped file, whose pages the system
may drop. Without it, four pinned buffers of 1 MiB for each upload, of 64 MiB and two alignments with direct I/O; a GPU that has no events
or pinned memory gets each tensor through a buffer of the tensor's size instead. Reading goes through the page cache, which the system may drop too.
A device reached by RPC has no pinned memory, and each tensor for it is copied once more into the message that carries it
(ggml/src/ggml-rpc/ggml-rpc.cpp: serialize_set_tensor), with mmap too.
"""

from __future__ import annotations

from ..._units import MIB
from .weights import DIRECT, is_mapped

BUFFERS = 4
BUFFER_BYTES = MIB
DIRECT_BUFFER_BYTES = 64 * MIB + 2 * 4096
"""4096 is the alignment of most file systems (src/llama-mmap.cpp: st_blksize)."""


def loading_bytes(model, load_mode, devices):
    """Bytes that are needed while weights are loaded."""
    remote = any(device.remote for device in devices)
    largest = max((group.size_bytes for group in model.tensors), default=0)
    if not devices or is_mapped(load_mode):
        return largest if remote else 0
    if remote:
        return 2 * largest
    if not all(device.events for device in devices):
        return largest
    return BUFFERS * (DIRECT_BUFFER_BYTES if load_mode == DIRECT else BUFFER_BYTES)
