# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""llama-server's options that decide memory, and what llama.cpp makes of those that are not given."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .._options import INT32_MAX, Option, check_options

CACHE_TYPES = {
    # type: (elements of a block, bytes of a block); the types llama-server accepts (common/arg.cpp: kv_cache_types)
    "f32": (1, 4),
    "f16": (1, 2),
    "bf16": (1, 2),
    "q8_0": (32, 34),
    "q5_1": (32, 24),
    "q5_0": (32, 22),
    "q4_1": (32, 20),
    "q4_0": (32, 18),
    "iq4_nl": (32, 18),
}

MAX_SEQUENCES = 256
"""Slots that llama.cpp has room for (src/llama-cparams.h: LLAMA_MAX_SEQ)."""

SPEC = {
    "ctx_size": Option("int", minimum=0, maximum=INT32_MAX),
    "gpu_layers": Option("int_or_word", minimum=-1, choices=("all", "auto"), maximum=INT32_MAX),
    "flash_attn": Option("switch", choices=("on", "off", "auto")),
    "cache_type_k": Option("str", choices=tuple(CACHE_TYPES)),
    "cache_type_v": Option("str", choices=tuple(CACHE_TYPES)),
    "batch_size": Option("int", minimum=1, maximum=INT32_MAX),
    "ubatch_size": Option("int", minimum=1, maximum=INT32_MAX),
    "parallel": Option("int", minimum=-1, maximum=MAX_SEQUENCES),
    "kv_unified": Option("bool"),
    "tensor_split": Option("numbers", minimum=0),
    "split_mode": Option("str", choices=("none", "layer", "row", "tensor")),
    "main_gpu": Option("int", minimum=0, maximum=INT32_MAX),
    "n_cpu_moe": Option("int", minimum=0, maximum=INT32_MAX),
    "cpu_moe": Option("bool"),
    "override_tensor": Option("strs"),
    "kv_offload": Option("bool"),
    "op_offload": Option("bool"),
    "no_host": Option("bool"),
    "mtp": Option("str", choices=("weights", "context")),
    "spec_draft_n_max": Option("int", minimum=0, maximum=INT32_MAX),
    "outputs": Option("int_or_word", minimum=1, choices=("batch",), maximum=INT32_MAX),
}

GOES_BACK = frozenset("""bailingmoe3 deepseek4 glm5-next kimi-k3 lfm2 lfm2moe nemotron_h nemotron_h_moe qwen35 qwen35moe qwen4exp""".split())
"""Architectures whose recurrent state can be taken back some tokens (src/llama-arch.cpp: llm_arch_supports_rs_rollback)."""


@dataclass(frozen=True)
class Settings:
    """Settings as llama.cpp runs with them: nothing left open.

    C(n_ctx) cells in all, C(n_ctx_seq) of them in each of C(n_stream) streams; C(n_outputs) rows of logits;
    C(n_rs_seq) earlier states that recurrent blocks keep of each sequence.
    """

    n_ctx: int
    n_ctx_seq: int
    n_stream: int
    n_seq_max: int
    n_batch: int
    n_ubatch: int
    n_outputs: int
    n_gpu_layers: int
    flash_attn: bool
    cache_type_k: str
    cache_type_v: str
    kv_unified: bool
    kv_offload: bool
    op_offload: bool
    split_mode: str
    main_gpu: int
    tensor_split: tuple[float, ...] | None
    n_cpu_moe: int
    cpu_moe: bool
    override_tensor: tuple[str, ...]
    mtp: str | None
    n_rs_seq: int = 0


def cache_row_bytes(elements, cache_type):
    """Bytes of one row of the cache (ggml.c: ggml_row_size)."""
    block, size = CACHE_TYPES[cache_type]
    return elements * size // block


def is_quantized(cache_type):
    return CACHE_TYPES[cache_type][0] > 1


WITH_ENCODER = frozenset({"dflash", "eagle3", "t5", "t5encoder"})
"""Architectures for whose encoder every token of a batch may have a result (src/llama-model.cpp: llama_model_has_encoder)."""

NOT_CAUSAL = frozenset({"dream", "gemma-embedding", "llada", "llada-moe", "rnd1"})
"""Architectures that attend to what follows too, whatever the header says (src/models/*.cpp: load_arch_hparams)."""


def resolve(given, model):
    """Settings for C(model) from a plain dictionary of options; None means not given.

    Sources: tools/server/server.cpp (slots), src/llama-context.cpp (context, batches, flash attention).
    Raises InfraError for what llama.cpp refuses too.
    """
    option = check_options(given, SPEC, "settings")
    n_seq_max, kv_unified = slots(option)
    n_ctx_given = option["ctx_size"] or model.n_ctx_train
    n_batch = option["batch_size"] or 2048
    if model.architecture not in NOT_CAUSAL and model.hyperparameters.get("attention.causal") is not False:
        n_batch = min(n_ctx_given, n_batch)
    n_ctx_seq, n_ctx = _context(n_ctx_given, n_seq_max, kv_unified)
    flash_attn = _flash_attn(option, model)
    outputs = option["outputs"]
    settings = Settings(
        n_ctx=n_ctx,
        n_ctx_seq=n_ctx_seq,
        n_stream=1 if kv_unified else n_seq_max,
        n_seq_max=n_seq_max,
        n_batch=n_batch,
        n_ubatch=min(n_batch, option["ubatch_size"] or 512),
        n_outputs=n_batch if outputs == "batch" or model.architecture in WITH_ENCODER else outputs or n_seq_max,
        n_gpu_layers=_gpu_layers(option, model),
        flash_attn=flash_attn,
        cache_type_k=option["cache_type_k"] or "f16",
        cache_type_v=option["cache_type_v"] or "f16",
        kv_unified=kv_unified,
        kv_offload=option["kv_offload"] is not False,
        op_offload=option["op_offload"] is not False,
        split_mode=option["split_mode"] or "layer",
        main_gpu=option["main_gpu"] or 0,
        tensor_split=_tensor_split(option),
        n_cpu_moe=option["n_cpu_moe"] or 0,
        cpu_moe=bool(option["cpu_moe"]),
        override_tensor=tuple(option["override_tensor"] or ()),
        mtp=option["mtp"],
        n_rs_seq=_earlier_states(option, model),
    )
    _refuse_what_llama_cpp_refuses(settings)
    return settings


def _earlier_states(option, model):
    """One for each token that a draft may get wrong (common.cpp), where llama.cpp can go back; not for the draft's own context."""
    return (option["spec_draft_n_max"] or 0) if model.architecture in GOES_BACK and option["mtp"] != "context" else 0


def slots(option):
    """(slots, one cache for all of them). Not given, or -1: four slots on one cache (server.cpp)."""
    parallel = option.get("parallel")
    if parallel == 0:
        raise InfraError("no slots", where="settings.parallel", got="0", expected="at least 1, or -1 for llama-server's own choice")
    if parallel is None or parallel < 0:
        return 4, option.get("kv_unified") is not False
    return parallel, bool(option.get("kv_unified"))


def _context(n_ctx, n_seq_max, kv_unified):
    """(cells of a stream, cells in all), each padded to 256 (llama-context.cpp)."""
    n_ctx = pad(n_ctx)
    if kv_unified:
        return n_ctx, n_ctx
    n_ctx_seq = pad(n_ctx // n_seq_max)
    if n_ctx_seq == 0:
        raise InfraError("no context left for a slot", where="settings.ctx_size", got=f"{n_ctx} tokens for {n_seq_max} slots")
    return n_ctx_seq, n_ctx_seq * n_seq_max


def pad(cells):
    """The next multiple of 256 (llama-context.cpp, llama-kv-cache-iswa.cpp)."""
    return (cells + 255) // 256 * 256


def _flash_attn(option, model):
    if model.architecture == "grok":
        return False
    return option["flash_attn"] != "off"


def _gpu_layers(option, model):
    """The output counts as one layer more than the blocks (llama-model.cpp: n_gpu_layers)."""
    gpu_layers = option["gpu_layers"]
    if gpu_layers is None or gpu_layers in ("all", "auto") or gpu_layers == -1:
        return model.n_layer_all + 1
    return gpu_layers


def _tensor_split(option):
    split = option["tensor_split"]
    if split is None or not any(split):
        return None
    return tuple(float(part) for part in split)


def _refuse_what_llama_cpp_refuses(settings):
    if is_quantized(settings.cache_type_v) and not settings.flash_attn:
        raise InfraError(
            "a quantized V cache needs flash attention",
            where="settings.cache_type_v",
            got=settings.cache_type_v,
            fix="Turn flash_attn on, or use f16",
        )
    if settings.split_mode in ("row", "tensor"):
        raise InfraError(
            "this split mode is not modelled yet",
            where="settings.split_mode",
            got=settings.split_mode,
            expected="layer or none",
        )
