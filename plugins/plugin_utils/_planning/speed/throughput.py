# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tokens per second as the plan tells them: what the hardware allows at most, and what is expected of llama.cpp, with its uncertainty."""

from __future__ import annotations

from ..._units import human
from ..estimate import cache_bytes

DECODE_RANGE = (0.7, 1.3)
PREFILL_RANGE = (0.5, 1.7)
"""What is expected may be off by these factors; nine of ten measurements lie within (docs/speed.md)."""

ASSUMED_RANGE = (0.5, 2.0)
"""By these more where a rate is assumed; then there is no bound either."""

SAME = 0.05
"""A GPU that makes less difference than this makes none."""


def throughput(estimate, allocation, node):
    """C({decode, prefill, without_gpus, assumed, notes}), plain, for an Allocation on a Node."""
    settings = allocation.settings
    tokens = min(settings.n_ubatch, estimate.request.prompt_tokens)
    one, many = estimate.token(allocation), estimate.batch(allocation, tokens)
    at_once = _pipelined(estimate, allocation)
    work = estimate.work(allocation)
    decode = {
        **_rates(one, 1, DECODE_RANGE, estimate.rates),
        "bytes_per_token": dict(
            zip(estimate.rates.names, (weights + cache for weights, cache in zip(work.token_bytes, cache_bytes(allocation), strict=True)), strict=True)
        ),
        "seconds_per_token": _shown(one.expected),
        "context_tokens": settings.n_ctx_seq // 2,
    }
    prefill = {
        **_rates(many, tokens, PREFILL_RANGE, estimate.rates, at_once),
        "seconds_per_batch": _shown(many.expected),
        "batch_tokens": tokens,
    }
    without = _without_gpus(estimate, allocation, node, tokens)
    assumed = estimate.rates.resting_on({**one.expected, **many.expected})
    return {
        "decode": decode,
        "prefill": prefill,
        "without_gpus": without,
        "assumed": assumed,
        "notes": [*_assumed(assumed), *_helps(decode, prefill, without), *_several(node)],
    }


def _rates(phase, tokens, factors, rates, at_once=1.0):
    if not phase.seconds or not phase.least:
        return dict.fromkeys(("tokens_per_second_at_most", "tokens_per_second_expected", "tokens_per_second_low", "tokens_per_second_high", "bound_by"))
    expected = tokens * at_once / phase.seconds
    low, high = (expected * factor for factor in factors)
    if rates.resting_on(phase.expected):
        at_most = None
        low, high = low * ASSUMED_RANGE[0], high * ASSUMED_RANGE[1]
    else:
        at_most = tokens / phase.least
        expected, high = min(expected, at_most), min(high, at_most)
    return {
        "tokens_per_second_at_most": at_most and _figure(at_most),
        "tokens_per_second_expected": _figure(expected),
        "tokens_per_second_low": _figure(low),
        "tokens_per_second_high": _figure(high),
        "bound_by": phase.bound_by,
    }


def _pipelined(estimate, allocation):
    """How much faster several GPUs are that work on different micro-batches of one prompt at once (src/llama-context.cpp: pipeline_parallel).

    The square root of their number, as 2, 4 and 6 RTX 3090 and RTX 4090 were: llama-bench's pp4096 of Llama-3-8B in
    https://github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference.
    """
    settings = allocation.settings
    on_all = sum(1 for count in estimate.work(allocation).blocks[:-1] if count)
    whole = estimate.works_as_pipeline and not estimate.work(allocation).host_bytes and settings.kv_offload and not settings.override_tensor
    return on_all**0.5 if whole and on_all > 1 and settings.split_mode == "layer" else 1.0


def _without_gpus(estimate, allocation, node, tokens):
    """The same model by the CPU alone; None where there is no GPU, or the RAM's bandwidth is not known."""
    if not node.gpus or estimate.rates.resting_on(("RAM",)):
        return None
    one, many = estimate.without_gpus(allocation, tokens)
    return {
        "decode_tokens_per_second_expected": _figure(1 / one.seconds),
        "prefill_tokens_per_second_expected": _figure(tokens / many.seconds),
        "ram_bytes": sum(buffers.weights_bytes + buffers.kv_bytes for buffers in (*allocation.devices, allocation.host)),
        "assumed": estimate.rates.resting_on({**one.expected, **many.expected}),
    }


def _assumed(assumed):
    if assumed:
        yield f"The node doesn't say {' and '.join(assumed)}: the speed rests on an assumption, and may be off by a factor of two."


def _helps(decode, prefill, without):
    """Where the GPUs don't make a token faster."""
    if without is None or decode["tokens_per_second_expected"] is None:
        return
    alone, here = without["decode_tokens_per_second_expected"], decode["tokens_per_second_expected"]
    if alone < here * (1 - SAME):
        return
    guess = ", at a guess" if without["assumed"] else ""
    for_prompts = f"{prefill['tokens_per_second_expected']:g} tokens/s instead of {without['prefill_tokens_per_second_expected']:g}{guess}"
    helps = prefill["tokens_per_second_expected"] > without["prefill_tokens_per_second_expected"] * (1 + SAME)
    yield (
        f"The GPU does not make generating faster here: about {here:g} tokens/s with it, {alone:g} by the CPU alone, if {human(without['ram_bytes'])} "
        f"of RAM are there for it. It {'helps with prompts' if helps else 'does not help with prompts either'}: {for_prompts}."
    )


def _several(node):
    if len(node.gpus) > 1:
        yield "A token passes through one GPU after another: several hold more, and work on several requests at once, but one request is not generated faster."


def _shown(seconds):
    return {what: float(f"{value:.3g}") for what, value in seconds.items() if value}


def _figure(rate):
    """Three digits: more would be pretence."""
    return float(f"{rate:.3g}")
