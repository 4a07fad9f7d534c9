# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CUDA's flash attention needs beside its result: its kernels read F16, so the K and V of a whole block are converted.

Source: ggml/src/ggml-cuda/fattn.cu (ggml_cuda_flash_attn_ext_get_alloc_size), ggml-cuda.cu (get_alloc_size).
"""

from __future__ import annotations

from .ggml import elements

FEW_TOKENS = 2
READ_AS_THEY_ARE = ("q8_0", "q4_0")
"""By the kernel for a token or two, of compute capability 8.9 and newer."""

KV_STRIDE = 256


def scratch_bytes(x, type_k, type_v, v_is_k=False):
    """Bytes behind the result C(x) of flash attention on a cache of these types; C(v_is_k): V is seen in K's memory."""
    q, k, v = x.sources[:3]
    if type_k == type_v and type_k in READ_AS_THEY_ARE and _few_tokens(q, k):
        return 0
    size = x.size_bytes
    for part, converted in ((k, True), (v, not v_is_k)):
        if part.type != "f16" and converted:
            size += -size % 128 + 2 * elements(part.shape)
    return size - x.size_bytes


def _few_tokens(q, k):
    length = q.shape[0]
    return q.shape[1] <= FEW_TOKENS and length <= 256 and length % 64 == 0 and length != 192 and k.shape[1] % KV_STRIDE == 0
