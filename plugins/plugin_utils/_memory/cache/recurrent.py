# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recurrent blocks (Mamba, RWKV, delta nets, short convolutions): a state per sequence, whatever the context.

Sources: src/llama-memory-recurrent.cpp; n_embd_r and n_embd_s in src/llama-hparams.cpp. Both parts are F32, whatever the type of the cache.
"""

from __future__ import annotations

from . import attention

FLOAT_BYTES = 4


def cache(model, settings):
    """Bytes of state for each block of C(model), all of them recurrent."""
    return (state_bytes(model, settings),) * model.n_layer_all


def state_bytes(model, settings):
    """Bytes of one block's state: a convolution's last inputs and the state proper, for each slot."""
    convolution, state = _widths(model)
    return FLOAT_BYTES * settings.n_seq_max * (1 + settings.n_rs_seq) * (convolution + state)


def history_bytes(model, settings, block):
    """Bytes of the last inputs of the convolution over embeddings of n-grams, which one block of Qwen 4 has (llama-hparams.cpp: ple_conv_state)."""
    listed = model.hyperparameters.get("ple.layers") or []
    if model.architecture != "qwen4exp" or block not in (listed if isinstance(listed, list) else [listed]):
        return 0
    width = (model.integer("ple.conv_kernel") - 1) * model.integer("ple.ngram_size") * model.integer("hyper_connection.count") * model.n_embd
    return FLOAT_BYTES * settings.n_seq_max * (1 + settings.n_rs_seq) * width


def _widths(model):
    """Elements of both parts for one sequence."""
    if model.integer("wkv.head_size", 0):
        return model.integer("token_shift_count", 2) * model.n_embd, model.n_embd * model.integer("wkv.head_size")
    inner, state = model.integer("ssm.inner_size", 0), model.integer("ssm.state_size", 0)
    if model.integer("shortconv.l_cache", 0):
        return model.n_embd * (model.integer("shortconv.l_cache") - 1), state * inner
    kernel = model.integer("ssm.conv_kernel", 0)
    heads = model.integer("attention.head_count", 0)
    if model.integer("kda.head_dim", 0):
        length = model.integer("kda.head_dim")
        return 3 * (kernel - 1 if kernel else 3) * heads * length, length * length * heads
    convolution = (kernel - 1 if kernel else 0) * (inner + 2 * model.integer("ssm.group_count", 0) * state)
    if model.architecture == "minimax-01":
        length = attention.head_lengths(model)[0]
        return convolution, length * length * heads
    return convolution, state * inner
